/** What somebody may make us do and keep who knows no secret, only a Host Name that we take. */

import { describe, expect, it } from "vitest";
import type { L2tpAddress, L2tpEndpointConfig } from "../../src/l2tp/config.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import type { L2tpOutput } from "../../src/l2tp/outputs.ts";
import { emitL2tp } from "../../src/wire/l2tp.ts";
import { type Avp, emitAvps, parseAvps } from "../../src/wire/l2tp-avp.ts";
import { emitMessage } from "../../src/wire/l2tp-messages.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { PEER, SCCCN, SCCRQ, sent } from "./scripted-peer.ts";

class Stranger {
  readonly endpoint: L2tpEndpoint;
  #requests = 0;

  constructor(config: Partial<L2tpEndpointConfig> = {}) {
    const peers = [
      { name: "any", accept: true, secret: "sesame" },
      { name: "lns", remote: { ...PEER, address: "198.51.100.1" } },
    ];
    this.endpoint = new L2tpEndpoint({ hostName: "us", peers, ...config }, seededRandom(3));
  }

  send(now: number, body: Uint8Array, ns: number, tunnelId = 0, from: L2tpAddress = PEER) {
    const header = { control: true, lengthBit: true, tunnelId, sessionId: 0, priority: false };
    return this.endpoint.receive(now, from, emitL2tp({ ...header, sequence: { ns, nr: ns } }, body));
  }

  /** An SCCRQ from a port and with an id that nobody has used. */
  request(now: number): readonly L2tpOutput[] {
    this.#requests += 1;
    const from = { ...PEER, port: 1024 + (this.#requests % 60_000) };
    return this.send(now, emitMessage({ ...SCCRQ, assignedTunnelId: 1 + this.#requests }), 0, 0, from);
  }
}

const STOP = { kind: "StopCCN", assignedTunnelId: 1, resultCode: { result: 1 } } as const;
const FORGED = { ...SCCCN, challengeResponse: new Uint8Array(16) };

/** The shortest of many measurements, in ms: of a busy machine it sees as little as may be. */
function shortest(act: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 12; i++) {
    const start = performance.now();
    act();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

describe("a stranger's StopCCN", () => {
  const randomVector = { mandatory: true, hidden: false, vendorId: 0, type: 36, value: new Uint8Array(16) };
  const hidden = { mandatory: true, hidden: true, vendorId: 0, type: 9, value: new Uint8Array(1000) };
  const type = { mandatory: true, hidden: false, vendorId: 0, type: 0, value: Uint8Array.of(0, 4) };
  const unreadable = emitAvps([type, randomVector, hidden, hidden, hidden]);

  it("that hides its ids costs the same, however many tunnels its sender has begun to open", () => {
    const cost = (tunnels: number) => {
      const stranger = new Stranger();
      for (let id = 1; id <= tunnels; id++)
        stranger.send(0, emitMessage({ ...SCCRQ, assignedTunnelId: id }), 0);
      expect(stranger.endpoint.tunnels()).toHaveLength(tunnels);
      return shortest(() => {
        for (let i = 0; i < 4; i++) stranger.send(1, unreadable, 1);
      });
    };
    cost(1);
    expect(cost(400)).toBeLessThan(50 * cost(1));
  });
});

describe("tunnels that strangers have begun and ended again", () => {
  const CONFIG = { maxTunnels: 100, maxHalfOpenTunnels: 20 };

  it.each([
    ["by StopCCN", emitMessage(STOP)],
    ["by a wrong Challenge Response", emitMessage(FORGED)],
  ])("%s, leave room for others and for our own", (_, body) => {
    const stranger = new Stranger(CONFIG);
    for (let i = 0; i < 500; i++) {
      const { assignedTunnelId } = sent(stranger.request(i), "SCCRP").message;
      const from = { ...PEER, port: 1025 + i };
      stranger.send(i, body, 1, assignedTunnelId, from);
    }
    expect(stranger.endpoint.tunnels()).toHaveLength(20);
    expect(stranger.endpoint.openTunnel(500, "lns").tunnel).toBeDefined();
    expect(sent(stranger.request(500), "SCCRP").message.kind).toBe("SCCRP");
  });

  it("do not shorten the life of what is left of a tunnel that was up", () => {
    const peers = [{ name: "any", accept: true }];
    const stranger = new Stranger({ ...CONFIG, peers });
    const { assignedTunnelId: id } = sent(stranger.request(0), "SCCRP").message;
    const from = { ...PEER, port: 1025 };
    stranger.send(0, emitMessage(SCCCN), 1, id, from);
    stranger.send(0, emitMessage(STOP), 2, id, from);
    for (let i = 0; i < 100; i++) stranger.request(1);
    expect(stranger.endpoint.tunnels().find(({ tunnel }) => tunnel === id)?.phase).toBe("closing");
  });
});

describe("a stranger's SCCRQ", () => {
  it("costs the same, however many tunnels there are", () => {
    const cost = (maxHalfOpenTunnels: number) => {
      const stranger = new Stranger({ maxHalfOpenTunnels });
      let now = 0;
      for (; now < maxHalfOpenTunnels; now++) stranger.request(now);
      return shortest(() => {
        for (let i = 0; i < 20; i++) stranger.request(now++);
      });
    };
    cost(10);
    expect(cost(4000)).toBeLessThan(8 * cost(10));
  });
});

describe("hidden AVPs of a stranger", () => {
  /** Sixty thousand octets of them. */
  const cost = (hidden: boolean, type: number) => {
    const greeting = parseAvps(emitMessage(SCCRQ))!;
    const randomVector = { ...greeting[0]!, type: 36, value: new Uint8Array(16) };
    const junk = { ...greeting[0]!, hidden, mandatory: false, type, value: new Uint8Array(1000) };
    const body = emitAvps([...greeting, randomVector, ...new Array<Avp>(60).fill(junk)]);
    const stranger = new Stranger();
    sent(stranger.send(0, body, 0), "SCCRP");
    return shortest(() => {
      for (let i = 0; i < 4; i++) stranger.send(1, body, 0);
    });
  };

  it.each([
    ["that come again", 9],
    ["that do not belong to the message", 33],
    ["that are unknown", 999],
  ])("%s are not opened", (_, type) => {
    cost(false, type);
    expect(cost(true, type)).toBeLessThan(12 * cost(false, type));
  });
});

describe("messages that come before their turn", () => {
  const LARGE = new Uint8Array(60_000);
  const kept = ({ endpoint }: Stranger) =>
    Object.values(endpoint.snapshot().tunnels).flatMap(({ transport }) => Object.keys(transport.early));

  it("are not kept in great number, nor large ones, for somebody who has not proved himself", () => {
    const stranger = new Stranger();
    const { assignedTunnelId } = sent(stranger.request(0), "SCCRP").message;
    const from = { ...PEER, port: 1025 };
    for (let ns = 2; ns < 120; ns++) stranger.send(0, emitMessage(SCCCN), ns, assignedTunnelId, from);
    expect(kept(stranger)).toEqual(["2", "3", "4"]);
    const other = new Stranger();
    const { assignedTunnelId: id } = sent(other.request(0), "SCCRP").message;
    for (let ns = 2; ns < 120; ns++) other.send(0, LARGE, ns, id, from);
    expect(kept(other)).toEqual([]);
  });
});
