/**
 * No password, secret, challenge or response is in anything that is shown: what went over the wires in a whole day of a
 * gateway is looked for, in every usual form, in all that it has told. Captures are excepted.
 */

import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { readU16, utf8 } from "../../src/base/bytes.ts";
import { Secret } from "../../src/base/secret.ts";
import { ROUTES } from "../../src/control/routes.ts";
import { GatewayOperations } from "../../src/gateway/gateway-operations.ts";
import { ATTRIBUTES } from "../../src/wire/l2tp-attributes.ts";
import { AVP_HEADER_BYTES, avpLength, avpType } from "../../src/wire/l2tp-avp.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { type Pair, startPair, World } from "../support/world.ts";
import { freePort } from "./free-port.ts";
import { sampleOperations } from "./sample-operations.ts";
import { fetchFrom, order, serve } from "./serve.ts";

/** No word of ours. */
const TUNNEL_SECRET = "xyzzy-between-us";
const USER = "alice@isp.example";
const MAC = "02:00:00:01:00:01";
const TEXTS = ["wonderland", TUNNEL_SECRET, "builder", "not-her-password", "another-secret"];

const SECRET_AVPS: readonly number[] = [
  ATTRIBUTES.challenge.type,
  ATTRIBUTES.challengeResponse.type,
  ATTRIBUTES.proxyAuthenChallenge.type,
  ATTRIBUTES.proxyAuthenResponse.type,
];

/** What went over the wires and is nobody's business. */
class Overheard {
  readonly values = new Map<string, Uint8Array>();
  readonly kinds = new Set<string>();

  ethernet(frame: Uint8Array): void {
    if (readU16(frame, 12) === 0x8864) this.#ppp(frame.subarray(20));
  }

  datagram(datagram: Uint8Array): void {
    if ((datagram[0]! & 0x80) === 0) return;
    for (let at = 12; at + AVP_HEADER_BYTES <= datagram.length; at += Math.max(1, avpLength(datagram, at)))
      if (SECRET_AVPS.includes(avpType(datagram, at)))
        this.#add(
          `AVP ${avpType(datagram, at)}`,
          datagram.subarray(at + AVP_HEADER_BYTES, at + avpLength(datagram, at)),
        );
  }

  #ppp(frame: Uint8Array): void {
    const protocol = readU16(frame, 0);
    if (protocol === 0xc223 && frame[2]! <= 2)
      this.#add(`CHAP ${frame[2]}`, frame.subarray(7, 7 + frame[6]!));
  }

  #add(kind: string, value: Uint8Array): void {
    if (value.length < 8) return;
    this.kinds.add(kind);
    this.values.set(value.join(), value.slice());
  }
}

/** As somebody might print it. */
function formsOf(octets: Uint8Array): readonly string[] {
  const buffer = Buffer.from(octets);
  return [
    buffer.toString("utf8"),
    buffer.toString("latin1"),
    buffer.toString("hex"),
    buffer.toString("base64").replace(/=+$/, ""),
    buffer.toString("base64url"),
    [...octets].join(),
    [...octets].join(", "),
    [...octets].map((octet, i) => `"${i}":${octet}`).join(),
    [...buffer.toString("hex").match(/../g)!].join(" "),
  ].map((form) => form.toLowerCase());
}

const overheard = new Overheard();
/** All that was told, by where. */
const told = new Map<string, string>();

function listen({ lac, lns, side }: Pair): void {
  for (const node of [lac, lns]) {
    const { onDatagram } = node;
    node.onDatagram = (to, port, datagram) => {
      overheard.datagram(datagram);
      onDatagram(to, port, datagram);
    };
  }
  for (const end of [lac, side]) {
    const { onEthernet } = end;
    end.onEthernet = (frame) => {
      overheard.ethernet(frame);
      onEthernet(frame);
    };
  }
}

const BODIES: Readonly<Record<string, unknown>> = {
  "/v1/end": { user: "*@nowhere.example", reason: "moved" },
  "/v1/drain": { draining: false },
  "/v1/lockouts/clear": {},
  "/v1/tunnel-tests": { user: USER },
  "/v1/reload": { plan: true },
  "/v1/captures/end": { capture: "c1" },
};

/** Asks a gateway for everything that its API has, while its time passes. */
async function askAll(name: string, node: Pair["lac"], world: World): Promise<void> {
  const { gateway, around, views, events } = node;
  const next = LAC_YAML.replace("tunnel-secret", "another-secret");
  const users = USERS_YAML.replace("wonderland", "not-her-password").replace("builder", "wonderland");
  const reading = { read: async () => world.config(next, users), applied: async () => [] };
  const socket = await serve(new GatewayOperations(gateway, around, { views, events, reading }));
  const until = async <Value>(asked: Promise<Value>): Promise<Value> => {
    let isOver = false;
    const over = asked.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await world.pass(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return over;
  };
  const tunnels = views.tunnels().map(({ localTunnelId }) => `/v1/why?tunnel=${localTunnelId}`);
  const paths: Readonly<Record<string, readonly string[]>> = {
    "/v1/sessions/{id}": ["/v1/sessions/s1", "/v1/sessions/s2"],
    "/v1/tunnels/{id}": views.tunnels().map(({ localTunnelId }) => `/v1/tunnels/${localTunnelId}`),
    "/v1/why": [
      ...["s1", "s2", "s3", "s4"].map((id) => `/v1/why?session=${id}`),
      `/v1/why?user=${USER}`,
      `/v1/why?mac=${MAC}`,
      ...tunnels,
    ],
    "/v1/sessions/{id}/capture": [],
  };
  for (const { method, path } of ROUTES)
    for (const where of paths[path] ?? [path]) {
      const asked = method === "post" ? order(socket, where, BODIES[path] ?? {}) : fetchFrom(socket, where);
      told.set(`${name} ${method} ${where}`, (await until(asked)).text);
    }
  for (const path of ["/metrics", "/healthz", "/readyz", "/v1/openapi.json", "/v1/nothing", "/v1/sessions/x"])
    told.set(`${name} ${path}`, (await until(fetchFrom(socket, path))).text);
}

function note(name: string, node: Pair["lac"]): void {
  told.set(`${name} log`, JSON.stringify(node.log));
  told.set(`${name} events`, JSON.stringify(node.events.since(0)));
  told.set(`${name} inspected`, inspect(node.around.config, { depth: 12, showHidden: true }));
  for (const ring of node.journal.archive.rings)
    told.set(`${name} journal ${ring.sizeBytes}`, Buffer.from(ring.octets.buffer).toString("latin1"));
}

/** A LAC and an LNS of which subscribers get in and do not, until the LNS dies. */
async function day(name: string, lacYaml: string, lnsYaml: string): Promise<void> {
  const world = new World(name.length);
  const ours = (yaml: string): string => yaml.replace("tunnel-secret", TUNNEL_SECRET);
  const pair = await startPair(world, ours(lacYaml), ours(lnsYaml), USERS_YAML);
  listen(pair);
  const { lac, lns, side } = pair;
  side.subscriber(1, USER, "wonderland").start();
  side.subscriber(2, USER, "not-her-password").start();
  side.subscriber(3, "nobody@elsewhere.example", "not-her-password").start();
  await world.pass(8000);
  await askAll(`${name} lac`, lac, world);
  await askAll(`${name} lns`, lns, world);
  lns.onDatagram = () => {};
  lac.dataplane.datagramTooBig("10.0.0.11", 1400);
  await world.pass(25_000);
  if (name === "chap") await askAll(`${name} lac, deserted`, lac, world);
  await world.pass(100_000);
  await lac.gateway.stop("the end");
  note(`${name} lac`, lac);
  note(`${name} lns`, lns);
  for (const text of side.offline.values()) told.set(`${name} subscriber ${text}`, text);
}

describe("what a gateway tells", () => {
  it("is gathered in three days of two gateways each", { timeout: 30_000 }, async () => {
    const pap = (yaml: string): string =>
      yaml.replace("interface: acc0", "interface: acc0, authentication: [pap]");
    const hidden = (yaml: string): string =>
      yaml.replace("secret: tunnel-secret", "secret: tunnel-secret, hide-avps: true");
    await day("chap", LAC_YAML, LNS_YAML);
    await day("pap", hidden(pap(LAC_YAML)), LNS_YAML.replace("role: lac", "role: lac, proxy: renegotiate"));
    await day("stranger", LAC_YAML, LNS_YAML.replace("tunnel-secret", "another-secret"));
  });

  it("is much, and about those who have secrets", () => {
    const all = [...told.values()].join("\n");
    expect(all).toContain(USER);
    expect(all).toContain("(not kept)");
    expect(all).toContain("wrong password");
    expect(told.size).toBeGreaterThan(120);
    expect([...overheard.kinds].sort()).toEqual(
      ["AVP 11", "AVP 13", "AVP 31", "AVP 33", "CHAP 1", "CHAP 2"].sort(),
    );
    expect([...told.keys()].filter((where) => where.includes("log"))).toHaveLength(6);
    expect([...told].find(([where]) => where === "chap lac log")![1]).toContain('"debug"');
  });

  it("has no password, secret, challenge or response in it, in any form", () => {
    const found: string[] = [];
    const shown = [...told].map(([where, text]) => [where, text.toLowerCase()] as const);
    for (const octets of [...TEXTS.map((text) => utf8(text)), ...overheard.values.values()])
      for (const form of new Set(formsOf(octets)))
        for (const [where, text] of shown)
          if (text.includes(form)) found.push(`${where}: ${Buffer.from(octets).toString("hex")}`);
    expect(found).toEqual([]);
  });
});

describe("the API's token", () => {
  it("is in no answer and no log line, whoever shows it or another", async () => {
    const TOKEN = "0123456789-token-of-the-api";
    const port = await freePort();
    const lines: unknown[] = [];
    const line = (...what: unknown[]) => void lines.push(what);
    const logger = { debug: line, info: line, warn: line, error: line };
    const addresses = [{ address: "127.0.0.1", port, token: new Secret(TOKEN) }];
    await serve(sampleOperations(), { addresses, logger });
    const answers: string[] = [];
    for (const shown of [TOKEN, TOKEN.slice(1), `${TOKEN}x`])
      for (const path of [
        "/v1/status",
        "/v1/config",
        "/v1/nothing",
        `/v1/status?token=${TOKEN}`,
        "/metrics",
      ]) {
        const got = await fetchFrom(port, path, { headers: { Authorization: `Bearer ${shown}` } });
        answers.push(JSON.stringify(got));
      }
    expect(answers.join()).toContain("1.2.3");
    expect(answers.join()).not.toContain(TOKEN.slice(1));
    expect(inspect(lines, { depth: 9 })).not.toContain(TOKEN.slice(1));
  });
});
