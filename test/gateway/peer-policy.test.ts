import { describe, expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { L2tpPorts } from "../../src/gateway/l2tp-ports.ts";
import { peerPolicy, poolPolicy } from "../../src/gateway/peer-policy.ts";
import type { Surroundings } from "../../src/gateway/surroundings.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { World } from "../support/world.ts";

function config(listen: string, peer: string): Config {
  return new World(1).config(`
name: lac
l2tp:
  listen: [${listen}]
  peers: [{ name: lns, ${peer} }]
`);
}

function policy(listen: string, peer: string) {
  const around = { config: config(listen, peer) } as Surroundings;
  return peerPolicy(around.config.l2tp.peers[0]!, new L2tpPorts(around));
}

const TWO = "{ address: 192.0.2.1 }, { address: 192.0.2.2 }, { address: '2001:db8::1' }";

describe("where a peer is spoken to from", () => {
  it("is the first local address of its family, unless it has a source address", () => {
    expect(policy(TWO, "address: 10.0.0.1").remote).toMatchObject({ address: "10.0.0.1", portKey: 0 });
    expect(policy(TWO, "address: '2001:db8::9'").remote).toMatchObject({ portKey: 2 });
    expect(policy(TWO, "address: 10.0.0.1, source-address: 192.0.2.2").remote).toMatchObject({
      portKey: 1,
      localAddress: "192.0.2.2",
    });
  });

  it("may be any address of ours where the port is bound to every one", () => {
    const remote = policy("{ address: 0.0.0.0 }", "address: 10.0.0.1, source-address: 192.0.2.7").remote;
    expect(remote).toMatchObject({ portKey: 0, localAddress: "192.0.2.7" });
  });
});

describe("a peer's policy for the L2TP machine", () => {
  it("is what its keys say", () => {
    const keys =
      "address: 10.0.0.1, local-host-name: lac-for-them, follow-address: true, tie-breaker: true, unknown-mandatory-avp: ignore, retransmissions: 3, retransmission-cycle: 2m, max-sessions: 100";
    expect(policy(TWO, keys)).toMatchObject({
      localHostName: "lac-for-them",
      followAddress: true,
      tieBreaker: true,
      unknownMandatoryAvp: "ignore",
      retransmissions: 3,
      peerRetransmissionCycleMs: 120_000,
      sccrqRetransmissions: 2,
      maxSessions: 100,
    });
  });

  it("allows 16 tunnels, one with a tie breaker, or what is configured", () => {
    const tunnels = (keys: string) =>
      poolPolicy(config(TWO, `address: 10.0.0.1, ${keys}`).l2tp.peers[0]).maxTunnels;
    expect([tunnels(""), tunnels("tie-breaker: true"), tunnels("max-tunnels: 3")]).toEqual([16, 1, 3]);
  });

  it("is one that the machine takes, at the ends of every range", () => {
    const ends = [
      "receive-window: 1024, hello-interval: 1h, retransmissions: 10, initial-retransmissions: 10",
      "receive-window: 1, hello-interval: 1s, retransmissions: 1, initial-retransmissions: 0, max-sessions: 1",
    ];
    for (const keys of ends) {
      const peers = [policy(TWO, `address: 10.0.0.1, ${keys}`)];
      expect(new L2tpEndpoint({ hostName: "lac", peers }, seededRandom(1)).tunnels()).toEqual([]);
    }
    expect(() => policy(TWO, "address: 10.0.0.1, receive-window: 1025")).toThrow("receive-window");
  });
});
