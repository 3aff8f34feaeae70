import { describe, expect, it } from "vitest";
import { fragmentOf, placeOf } from "../../web/src/client/route.ts";
import { subjectOf, wantedBy } from "../../web/src/client/session-search.ts";

describe("an address of the page", () => {
  it.each([
    ["", "overview", undefined, {}],
    ["#", "overview", undefined, {}],
    ["#/", "overview", undefined, {}],
    ["#/sessions", "sessions", undefined, {}],
    ["#/sessions?q=ali*&state=open", "sessions", undefined, { q: "ali*", state: "open" }],
    ["#/sessions/s12", "session", "s12", {}],
    ["#/tunnels", "tunnels", undefined, {}],
    ["#/why?user=alice%40isp.example", "why", undefined, { user: "alice@isp.example" }],
    ["#/sessions/12", "nowhere", undefined, {}],
    ["#/sessions/s1/more", "session", "s1", {}],
    ["#/elsewhere", "nowhere", undefined, {}],
    ["#/tunnels/7", "nowhere", undefined, {}],
  ])("leads to a view: %s", (fragment, view, id, query) => {
    expect(placeOf(fragment)).toEqual({ view, id, query });
  });

  it("is made of a view and what is chosen in it, and leads back there", () => {
    const query = { q: "a&b=c#d", lns: "lns 1", state: "", role: undefined };
    const fragment = fragmentOf("sessions", query);
    expect(placeOf(fragment)).toEqual({
      view: "sessions",
      id: undefined,
      query: { q: "a&b=c#d", lns: "lns 1" },
    });
    expect(fragmentOf("tunnels", {})).toBe("#/tunnels");
  });
});

describe("what is typed to find a session", () => {
  it.each([
    ["", { kind: "list", query: {} }],
    ["  ", { kind: "list", query: {} }],
    ["s12", { kind: "one", id: "s12" }],
    ["S12", { kind: "one", id: "s12" }],
    ["s12x", { kind: "list", query: { user: "*s12x*" } }],
    ["alice", { kind: "list", query: { user: "*alice*" } }],
    ["ali*@isp", { kind: "list", query: { user: "ali*@isp" } }],
    ["@isp.example", { kind: "list", query: { realm: "isp.example" } }],
    ["02:00:5E:10:00:01", { kind: "list", query: { mac: "02:00:5e:10:00:01" } }],
    ["0200.5e10.0001", { kind: "list", query: { mac: "02:00:5e:10:00:01" } }],
    ["02-00-5e-10-00-01", { kind: "list", query: { mac: "02:00:5e:10:00:01" } }],
    // digits alone may as well be a user
    ["02005e100001", { kind: "list", query: { user: "*02005e100001*" } }],
  ])("is a user, a realm, a host or a session: %j", (text, wanted) => {
    expect(wantedBy(text)).toEqual(wanted);
  });

  it("is no longer than the API takes", () => {
    const wanted = wantedBy("x".repeat(1000));
    expect(wanted.kind === "list" && wanted.query.user?.length).toBe(256);
  });

  it.each([
    ["", undefined],
    ["s7", { session: "s7" }],
    ["tunnel 77", { tunnel: "77" }],
    ["T77", { tunnel: "77" }],
    ["tunnel 77/12", { tunnel: "77", call: "12" }],
    ["77/12", { tunnel: "77", call: "12" }],
    ["77", { user: "77" }],
    ["02:00:5e:10:00:01", { mac: "02:00:5e:10:00:01" }],
    ["alice@isp.example", { user: "alice@isp.example" }],
  ])("is whom the journal is asked about: %j", (text, subject) => {
    expect(subjectOf(text)).toEqual(subject);
  });
});
