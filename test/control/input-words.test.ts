import { describe, expect, it } from "vitest";
import { readInput } from "../../src/control/request-input.ts";
import { ROUTES } from "../../src/control/routes.ts";

/** What somebody is told who sends it. */
async function told(
  path: string,
  given: { readonly query?: string; readonly id?: string; readonly body?: unknown },
): Promise<string> {
  const route = ROUTES.find((each) => each.path === path)!;
  const { query = "", id, body } = given;
  const request = new Request(`http://gateway${path}${query}`, {
    method: route.method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    }),
  });
  const input = await readInput(route, request, id === undefined ? {} : { id });
  return input.ok ? "it is understood" : input.failure.message;
}

describe("a request that is not understood is told what was given and what is wanted", () => {
  it.each([
    [
      "/v1/tunnels/{id}",
      { id: "abc" },
      'id: "abc" is not what is wanted here: a whole number from 1 to 65535',
    ],
    ["/v1/tunnels/{id}", { id: "0" }, 'id: "0" is not what is wanted here: a whole number from 1 to 65535'],
    [
      "/v1/sessions/{id}",
      { id: "s99999999999999999999" },
      'id: "s99999999999999999999" is not what is wanted here: the session\'s id, unique while the process lives: s12',
    ],
    [
      "/v1/sessions",
      { query: "?state=great" },
      'state: "great" is not what is wanted here: one of authenticating, calling, network, open, closing',
    ],
    ["/v1/sessions", { query: "?user=" }, 'user: "" is not what is wanted here: 1 to 256 characters'],
    [
      "/v1/sessions",
      { query: "?limit=1e9&colour=red" },
      'limit: "1e9" is not what is wanted here: a whole number from 1 to 1000; the query has no "colour"; there is user, realm',
    ],
    [
      "/v1/why",
      { query: "?mac=02:00" },
      'mac: "02:00" is not what is wanted here: a subscriber\'s MAC address: 02:',
    ],
    ["/v1/end", { body: {} }, "the body needs exactly one of session, user, realm, tunnel"],
    [
      "/v1/end",
      { body: { session: "s1", user: "a" } },
      "the body needs exactly one of session, user, realm, tunnel",
    ],
    [
      "/v1/end",
      { body: { sesion: "s1" } },
      'the body has no "sesion"; there is session, reason, user, realm, tunnel',
    ],
    [
      "/v1/end",
      { body: { tunnel: 0 } },
      "tunnel: 0 is not what is wanted here: a whole number from 1 to 65535",
    ],
    ["/v1/end", { body: [] }, "the body is to be an object with session, reason, user, realm, tunnel"],
    ["/v1/drain", { body: {} }, "draining is missing: true or false"],
    ["/v1/drain", { body: { draining: "yes" } }, 'draining: "yes" is not what is wanted here: true or false'],
    [
      "/v1/reload",
      { body: { plan: "\u001b[2J" } },
      'plan: "\\u001b[2J" is not what is wanted here: true or false',
    ],
  ])("%s %j", async (path, given, text) => {
    expect(await told(path, given)).toContain(text);
  });

  it("whatever it is: never in the words of a library, and never at length", async () => {
    for (const { path, method } of ROUTES)
      for (const given of [
        { id: "x".repeat(5000), query: `?${"y".repeat(5000)}=1` },
        ...(method === "post" ? [{ body: null }, { body: { x: {} } }, { body: "x".repeat(9000) }] : []),
      ]) {
        const text = await told(path, given);
        expect(text).not.toMatch(/Invalid|expected|undefined/i);
        expect(text.length).toBeLessThan(600);
      }
  });
});
