import { deserialize, serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { verifyChapMd5 } from "../../src/ppp/chap.ts";
import { PppClient } from "../../src/ppp/client.ts";
import type { LinkOutput } from "../../src/ppp/link-types.ts";
import { verifyMsChapV2 } from "../../src/ppp/ms-chap-v2.ts";
import { PppServer, type PppServerConfig, type PppServerOutput } from "../../src/ppp/server.ts";
import { DEFAULT_TIMERS } from "../../src/ppp/timers.ts";
import { PPP_IPCP } from "../../src/wire/ppp.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { frame, framesOf, sent, show } from "./frames.ts";
import { CLIENT, GRANT, SERVER } from "./pair.ts";
import { acceptedServer } from "./peer.ts";

const CCP = 0x80fd;

type Method = "chap-md5" | "ms-chap-v2";

/** Like pppd, it sends its Response once only. */
const WAITS_FOR_THE_VERDICT = { ...CLIENT, timers: { ...DEFAULT_TIMERS, restartMs: 1_000_000 } };

/** A server that has let its client in, whose Success is not told to the client; and that Success. */
class Line {
  readonly #config: PppServerConfig;
  readonly #random = seededRandom(3);
  server: PppServer;
  readonly client = new PppClient(WAITS_FOR_THE_VERDICT, seededRandom(4));
  readonly clientOutputs: LinkOutput[] = [];
  readonly success: Uint8Array;

  constructor(method: Method) {
    this.#config = { ...SERVER, authentication: [method] };
    this.server = new PppServer(this.#config, this.#random);
    let outputs: readonly PppServerOutput[] = this.server.start(0);
    let toServer = framesOf(this.client.start(0));
    while (!outputs.some(({ kind }) => kind === "authenticate")) {
      const toClient = framesOf(outputs);
      outputs = toServer.flatMap((octets) => [...this.server.receive(0, octets)]);
      toServer = toClient.flatMap((octets) => framesOf(this.client.receive(0, octets)));
    }
    const [success] = framesOf(this.#accept(outputs));
    this.success = success!;
  }

  /** The server goes on from a snapshot. */
  restore(): void {
    const state = deserialize(serialize(this.server.snapshot()));
    this.server = new PppServer(this.#config, this.#random, state);
  }

  /** Both exchange frames, beginning with these of the server, until nothing more is said. */
  exchange(now: number, frames: readonly Uint8Array[]): void {
    let toClient = frames;
    while (toClient.length > 0) {
      const said = toClient.flatMap((octets) => [...this.client.receive(now, octets)]);
      this.clientOutputs.push(...said);
      toClient = framesOf(said).flatMap((octets) => framesOf(this.server.receive(now, octets)));
    }
  }

  #accept(outputs: readonly PppServerOutput[]): readonly PppServerOutput[] {
    const asked = outputs.find((output) => output.kind === "authenticate");
    const password = utf8("wonderland");
    if (asked?.credentials.method === "ms-chap-v2")
      return this.server.accept(0, asked.attempt, GRANT, verifyMsChapV2(asked.credentials, password));
    if (asked?.credentials.method !== "chap-md5") throw new Error("nobody was asked");
    const { identifier, challenge, response } = asked.credentials;
    expect(verifyChapMd5(identifier, password, challenge, response)).toBe(true);
    return this.server.accept(0, asked.attempt, GRANT);
  }
}

describe.each<Method>(["chap-md5", "ms-chap-v2"])("a lost Success of %s", (method) => {
  it("is sent again, octet by octet, before the Configure-Request, and the client comes up", () => {
    const line = new Line(method);
    expect(line.server.deadline()).toBe(3_000);
    const again = framesOf(line.server.timeout(3_000));
    expect(show(again[0]!)).toMatch(/^CHAP success/);
    expect(again[0]).toEqual(line.success);
    expect(again.slice(1).map(show)).toEqual(["IPCP configure-request [ip-address=10.0.0.1]"]);
    line.exchange(3_000, again);
    expect(line.clientOutputs).toContainEqual(
      expect.objectContaining({ kind: "network-up", localAddress: "10.0.0.2" }),
    );
  });

  it("is sent again three times at most, also by a server that is restored in between", () => {
    const line = new Line(method);
    const successes: number[] = [];
    for (const at of [3_000, 6_000, 9_000, 12_000, 15_000]) {
      line.restore();
      expect(line.server.deadline()).toBe(at);
      const frames = framesOf(line.server.timeout(at));
      expect(frames.map(show)).toContain("IPCP configure-request [ip-address=10.0.0.1]");
      if (frames.some((octets) => Buffer.from(octets).equals(line.success))) successes.push(at);
    }
    expect(successes).toEqual([3_000, 6_000, 9_000]);
  });

  it.each([
    ["IPCP", PPP_IPCP],
    ["a protocol that is rejected", CCP],
  ])("is not sent again to a peer that was heard with %s", (_what, protocol) => {
    const { server } = new Line(method);
    server.receive(1_000, frame(protocol, 1, 1));
    expect(sent(server.timeout(3_000))).toEqual(["IPCP configure-request [ip-address=10.0.0.1]"]);
  });

  it("is sent again to a peer that answers echoes only", () => {
    const { server, success } = new Line(method);
    server.receive(1_000, frame(0xc021, 9, 1, "11223344"));
    expect(framesOf(server.timeout(3_000))[0]).toEqual(success);
  });

  it("disturbs nobody who has it", () => {
    const line = new Line(method);
    line.exchange(0, [line.success]);
    const before = line.clientOutputs.length;
    line.exchange(10, [line.success]);
    expect(line.clientOutputs).toHaveLength(before);
  });
});

it("a lost Ack of PAP is the peer's to ask for", () => {
  const { server } = acceptedServer();
  expect(sent(server.timeout(3_000))).toEqual(["IPCP configure-request [ip-address=10.0.0.1]"]);
});
