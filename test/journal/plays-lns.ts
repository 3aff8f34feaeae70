import type { IcmpReport } from "../../src/channel/dataplane.ts";
import { endCause } from "../../src/gateway/cause.ts";
import type { PppDisconnectCause, ResultCode } from "../../src/wire/l2tp-codes.ts";
import { LAC_YAML, USERS_YAML } from "../support/configurations.ts";
import { L2tpPeer, wireHosts } from "../support/l2tp-peer.ts";
import { startField } from "../support/lns-field.ts";
import { startSwitchField } from "../support/switch-field.ts";
import { Node, SubscriberSide, World, wireEthernet } from "../support/world.ts";
import { ask, type Play, pair, pta } from "./plays.ts";

const USER = "alice@isp.example";
const S1 = { session: "s1" };
const SECRET = "secret: tunnel-secret";

/** A LAC whose LNS is an L2TP machine that a test tells what to do; alice has called. */
export async function withPlayedLns(policy: ConstructorParameters<typeof L2tpPeer>[3] = {}, keys = "") {
  const world = new World(9);
  const lac = new Node(world, "10.0.0.2", LAC_YAML.replace(SECRET, `${SECRET}${keys}`), USERS_YAML);
  const lns = new L2tpPeer(world, "10.0.0.11", "lns", { secret: "tunnel-secret", accept: true, ...policy });
  const side = new SubscriberSide(world);
  const dead = new Set<string>();
  wireHosts(world, [lac, lns], dead);
  wireEthernet(side, lac);
  await side.open();
  await lac.gateway.start();
  const alice = side.subscriber(1, USER, "wonderland");
  alice.start();
  return { world, lac, lns, side, dead, alice };
}

/** The LNS refuses the call. */
function refusal(code: ResultCode): Play {
  return async () => {
    const { world, lac, lns } = await withPlayedLns();
    await world.until(() => lns.all("call-offered").length > 0, 5000);
    const { tunnel, session } = lns.one("call-offered");
    lns.do((endpoint, now) => endpoint.closeSession(now, tunnel, session, code));
    await world.pass(10_000);
    return ask(lac, { user: USER });
  };
}

/** The LNS takes the call, and ends it after a while. */
function clearing(code: ResultCode, afterMs = 100): Play {
  return async () => {
    const { world, lac, lns } = await withPlayedLns();
    await world.until(() => lns.all("call-offered").length > 0, 5000);
    const { tunnel, session } = lns.one("call-offered");
    lns.do((endpoint, now) => endpoint.acceptCall(now, tunnel, session));
    await world.until(() => lns.all("call-connected").length > 0, 5000);
    await world.pass(afterMs);
    lns.do((endpoint, now) => endpoint.closeSession(now, tunnel, session, code));
    await world.pass(5000);
    return ask(lac, { user: USER });
  };
}

function cause(code: number): PppDisconnectCause {
  return { code, protocol: 0, direction: 1 };
}

/** The answer to the SCCRQ is a refusal of ours or of the other end. */
function refusedTunnel(...keys: Parameters<typeof withPlayedLns>): Play {
  return async () => {
    const { world, lac } = await withPlayedLns(...keys);
    await world.pass(20_000);
    return ask(lac, { user: USER });
  };
}

/** What is sent to the LNS is refused here, or answered by an ICMP error. */
function notReached(errno: string, icmp?: IcmpReport): Play {
  return async () => {
    const { lac, side, world } = await pair();
    lac.onDatagram = (to) => world.carry(() => lac.dataplane.notReached(to, errno, icmp));
    side.subscriber(1, USER, "wonderland").start();
    await world.pass(40_000);
    return ask(lac, { user: USER });
  };
}

/** By the code of the rule that recognises it. */
export const LNS_PLAYS: Readonly<Record<string, Play>> = {
  "all-locked-out": async () => {
    // with so much patience for one that does not answer, the others' turn never comes
    const world = new World(10);
    const peer = "initial-retransmissions: 10";
    const members = "{ peer: a, preference: 1 }, { peer: b, preference: 2 }, { peer: c, preference: 3 }";
    const field = await startField(world, { members, peer }, ["a", "b", "c"]);
    field.side.subscriber(1, USER, "wonderland").start();
    await world.pass(200_000);
    field.side.subscriber(2, USER, "wonderland").start();
    await world.pass(200_000);
    return ask(field.lac, { session: "s2" });
  },
  "sccrq-unanswered": async () => {
    const { lac, side, world } = await pair();
    lac.onDatagram = () => {};
    side.subscriber(1, USER, "wonderland").start();
    await world.pass(40_000);
    return ask(lac, { user: USER });
  },
  "no-route-to-lns": notReached("ENETUNREACH"),
  "lns-port-closed": notReached("ECONNREFUSED", { reason: "port", reporter: "10.0.0.11" }),
  "lns-not-reached": notReached("EHOSTUNREACH", { reason: "host", reporter: "10.0.0.1" }),
  "tunnel-secret-differs": refusedTunnel({ secret: "another-secret" }),
  "host-name-differs": refusedTunnel({}, ", host-name: somebody-else"),
  "tunnel-not-authorized": refusedTunnel({ hostName: "another-lac" }),
  "tunnel-refused": async () => {
    const { world, lac, lns } = await withPlayedLns();
    await world.until(() => lns.all("call-offered").length > 0, 5000);
    const { tunnel } = lns.one("call-offered");
    lns.do((endpoint, now) =>
      endpoint.closeTunnel(now, tunnel, { result: 2, error: 6, message: "no licence" }),
    );
    await world.pass(5000);
    return ask(lac, { tunnel: lac.views.tunnels()[0]!.localTunnelId });
  },
  "peer-shuts-down": async () => {
    const { world, lac, lns } = await withPlayedLns();
    await world.until(() => lns.all("tunnel-up").length > 0, 5000);
    lns.do((endpoint, now) => endpoint.shutdown(now));
    await world.pass(5000);
    return ask(lac, { tunnel: lac.views.tunnels()[0]!.localTunnelId });
  },
  "tunnel-closed-here": async () => {
    const { lac, side, world } = await pair();
    const alice = side.subscriber(1, USER, "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 5000);
    await lac.operations.end({ tunnel: lac.views.tunnels()[0]!.localTunnelId }, "maintenance");
    await world.pass(3000);
    return ask(lac, S1);
  },
  "tunnel-lost": async () => {
    const { lac, lns, side, world } = await pair();
    const alice = side.subscriber(1, USER, "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 5000);
    lns.onDatagram = () => {};
    await world.pass(120_000);
    return ask(lac, S1);
  },
  "tunnel-not-answering": async () => {
    const { lac, lns, side, world } = await pair();
    const alice = side.subscriber(1, USER, "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 5000);
    lns.onDatagram = () => {};
    await world.until(() => lac.views.tunnels()[0]?.notAnsweringForSeconds !== null, 100_000);
    return ask(lac, S1);
  },
  "lns-full": async () => {
    const { lac, side, world } = await pair({
      lac: (yaml) => yaml.replace(SECRET, `${SECRET}, max-sessions-per-lns: 1`),
    });
    side.subscriber(1, USER, "wonderland").start();
    await world.pass(1000);
    side.subscriber(2, USER, "wonderland").start();
    await world.pass(10_000);
    return ask(lac, { session: "s2" });
  },
  "call-in-circles": async () => {
    const world = new World(11);
    const { lts, side } = await startSwitchField(world, {
      to: "lns: back",
      otherPeer: "name: back, address: 10.0.0.2, secret: s",
      lacPeer: "address: 10.0.0.2",
    });
    side.subscriber(1, USER, "wonderland").start();
    await world.pass(20_000);
    return ask(lts, S1);
  },
  "icrq-unanswered": async () => {
    const { world, lac } = await withPlayedLns();
    await world.pass(8000);
    return ask(lac, { user: USER });
  },
  "lns-drains": refusal({ result: 4, message: "draining: no new calls" }),
  "call-refused-full": refusal({ result: 4 }),
  "call-refused-destination": refusal({ result: 6 }),
  "call-refused-protocol": refusal({ result: 2, error: 8, message: "attribute 99" }),
  "call-refused": refusal({ result: 3, message: "not today" }),
  "l2tp-draining": async () => {
    const { lns, side, world } = await pair();
    lns.operations.drain(true);
    side.subscriber(1, USER, "wonderland").start();
    await world.pass(5000);
    return ask(lns, { tunnel: lns.views.tunnels()[0]!.localTunnelId });
  },
  "lns-without-facilities": clearing({ result: 4, message: "next: SCCRQ sent 3 times, no SCCRP" }),
  "lns-refused-login": clearing({ result: 3, disconnect: cause(16) }),
  "lns-lcp-failed": clearing({ result: 1, disconnect: cause(5) }),
  "lns-network-failed": clearing({ result: 3, disconnect: cause(19) }),
  "lns-echo-unanswered": clearing({ result: 1, disconnect: cause(8) }),
  "subscriber-left-lns": clearing({ result: 1, disconnect: cause(3) }),
  "lns-ended-call": clearing({ result: 3, message: "maintenance" }, 15_000),
  "lac-ended-call": async () => {
    const { lns, side, world } = await pair();
    const alice = side.subscriber(1, USER, "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 5000);
    alice.giveUp();
    await world.pass(5000);
    return ask(lns, S1);
  },
};

/** Bob is online at a gateway that he ends at; then `act`. */
function end(act: (scene: Awaited<ReturnType<typeof pta>>) => unknown, destination = ""): Play {
  return async () => {
    const scene = await pta("", (yaml) => yaml.replace("DESTINATION", destination));
    const { node, side, world } = scene;
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    await world.until(() => side.online.has(bob), 5000);
    act(scene);
    await world.pass(200_000);
    return ask(node, S1);
  };
}

export const END_PLAYS: Readonly<Record<string, Play>> = {
  "subscriber-hung-up": end(({ side }) => {
    for (const [bob] of side.online) bob.hangUp();
  }),
  "session-replaced": end(({ side }) => side.subscriber(2, "bob", "builder").start()),
  "idle-timeout": end(() => {}, "idle-timeout: 1m"),
  "session-timeout": end(() => {}, "session-timeout: 1m"),
  "operator-ended": end(({ node }) => {
    for (const session of node.gateway.sessions) session.leave(endCause("operator", "lacewing end s1"));
  }),
  "gateway-stopped": end(({ node }) => void node.gateway.stop("upgrade")),
  "interface-gone": end(({ node }) => node.host.announce({ kind: "gone", ifindex: 1, name: "acc0" })),
  "no-namespace": unitRefused("the network namespace core cannot be entered: there is none of that name"),
  "gateway-failed": unitRefused("EMFILE"),
};

function unitRefused(reason: string): Play {
  return async () => {
    const { node, side, world } = await pta();
    node.dataplane.createUnit = () => Promise.reject(new Error(reason));
    side.subscriber(1, "bob", "builder").start();
    await world.pass(10_000);
    return ask(node, S1);
  };
}
