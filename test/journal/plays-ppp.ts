import { utf8 } from "../../src/base/bytes.ts";
import { emitLcp, OPTION_AUTHENTICATION, parseLcp } from "../../src/wire/lcp.ts";
import { emitPap } from "../../src/wire/pap.ts";
import { PPP_IPCP, PPP_LCP } from "../../src/wire/ppp.ts";
import { parseControlPacket } from "../../src/wire/ppp-control.ts";
import { PlayedPeer } from "../support/played-peer.ts";
import { ask, handHost, type Play, pair, pta } from "./plays.ts";

const S1 = { session: "s1" };

/** Somebody logs in at a gateway that he ends at. */
async function login(user: string, password: string, ...keys: Parameters<typeof pta>) {
  const { node, side, world } = await pta(...keys);
  side.subscriber(1, user, password).start();
  await world.pass(10_000);
  return ask(node, { user });
}

/** By the code of the rule that recognises it. */
export const PPP_PLAYS: Readonly<Record<string, Play>> = {
  "lcp-unanswered": async () => {
    const { node, host, world } = await handHost();
    await host.call();
    await world.pass(60_000);
    return ask(node, { mac: host.macText });
  },
  "lcp-incomplete": async () => {
    const { node, host, world } = await handHost();
    await host.call();
    host.lcp({ kind: "configure-request", identifier: 1, options: [] });
    await world.pass(60_000);
    return ask(node, S1);
  },
  "negotiation-endless": async () => {
    const { node, host, world } = await handHost();
    await host.call();
    const options = [{ type: 99, data: Uint8Array.of(1) }];
    let identifier = 1;
    host.onPpp = (protocol, packet) => {
      const said = protocol === PPP_LCP ? parseLcp(packet) : undefined;
      if (said?.kind === "configure-request") host.lcp({ ...said, kind: "configure-ack" });
      identifier += 1;
      if (said?.kind === "configure-reject" && identifier < 40)
        host.lcp({ kind: "configure-request", identifier, options });
    };
    host.lcp({ kind: "configure-request", identifier, options });
    await world.pass(20_000);
    return ask(node, S1);
  },
  "line-looped": async () => {
    const { node, host, world } = await handHost();
    await host.call();
    host.onPpp = (protocol, packet) => host.ppp(protocol, packet);
    host.lcp({ kind: "configure-request", identifier: 1, options: [] });
    await world.pass(60_000);
    return ask(node, S1);
  },
  "lcp-rejected": async () => {
    const { node, host, world } = await handHost();
    await host.call();
    host.agreeToLcp();
    await world.pass(100);
    const rejectedInformation = emitLcp({ kind: "configure-request", identifier: 1, options: [] });
    host.lcp({ kind: "protocol-reject", identifier: 1, rejectedProtocol: PPP_LCP, rejectedInformation });
    await world.pass(10_000);
    return ask(node, S1);
  },
  "proxy-unfit": async () => {
    const { lns, world } = await pair({
      lns: (yaml) => yaml.replace("role: lac", "role: lac, proxy: never").replace(/secret: \S+ /, ""),
    });
    const lac = new PlayedPeer(world, lns);
    await lac.openTunnel("lac");
    const lastSentLcp = Uint8Array.of(OPTION_AUTHENTICATION, 4, 0xc2, 0x27);
    await lac.call({ lastSentLcp, lastReceivedLcp: new Uint8Array(0) });
    await world.pass(5000);
    return ask(lns, S1);
  },
  "authentication-method-refused": async () => {
    const { node, host, world } = await handHost();
    await host.call();
    host.onPpp = (protocol, packet) => {
      const asked = protocol === PPP_LCP ? parseLcp(packet) : undefined;
      if (asked?.kind !== "configure-request") return;
      const options = asked.options.filter(({ type }) => type === OPTION_AUTHENTICATION);
      host.lcp({ kind: "configure-reject", identifier: asked.identifier, options });
    };
    host.lcp({ kind: "configure-request", identifier: 1, options: [] });
    await world.pass(10_000);
    return ask(node, S1);
  },
  "authentication-unanswered": async () => {
    const { node, host, world } = await handHost();
    await host.call();
    host.agreeToLcp();
    await world.pass(60_000);
    return ask(node, S1);
  },
  "user-unknown": () => login("mallory", "builder"),
  "password-wrong": () => login("bob", "wrong"),
  "realm-unknown": async () => {
    const { lac, side, world } = await pair();
    side.subscriber(1, "alice@elsewhere.example", "wonderland").start();
    await world.pass(10_000);
    return ask(lac, { user: "alice@elsewhere.example" });
  },
  "no-address": async () => {
    const { node, side, world } = await pta("", (yaml) => yaml.replace("100.64.0.0/24", "100.64.0.2/32"));
    side.subscriber(1, "alice@isp.example", "wonderland").start();
    await world.pass(5000);
    side.subscriber(2, "alice@isp.example", "wonderland").start();
    await world.pass(10_000);
    return ask(node, { session: "s2" });
  },
  "network-refused": async () => {
    const { node, host, world } = await handHost("authentication: [pap]");
    await host.call();
    const name = { peerId: utf8("bob"), password: utf8("builder") };
    host.agreeToLcp((protocol, packet) => {
      const said = protocol === PPP_IPCP ? parseControlPacket(packet) : undefined;
      if (said === undefined) return;
      host.lcp({
        kind: "protocol-reject",
        identifier: 9,
        rejectedProtocol: PPP_IPCP,
        rejectedInformation: packet,
      });
    });
    await world.pass(100);
    host.ppp(0xc023, emitPap({ kind: "authenticate-request", identifier: 1, ...name }));
    await world.pass(60_000);
    return ask(node, { user: "bob" });
  },
  "echo-unanswered": async () => {
    const { node, side, world } = await pta();
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    await world.until(() => side.online.has(bob), 5000);
    side.onEthernet = () => {};
    await world.pass(200_000);
    return ask(node, { user: "bob" });
  },
};
