import { PADI, PADR } from "../../src/wire/pppoe.ts";
import { TAG_AC_COOKIE, TAG_GENERIC_ERROR, TAG_SERVICE_NAME, textTag } from "../../src/wire/pppoe-tags.ts";
import { macOf } from "../support/world.ts";
import { HandHost } from "./hand-host.ts";
import { ask, handHost, type Play, pta } from "./plays.ts";

/** By the code of the rule that recognises it. */
export const ACCESS_PLAYS: Readonly<Record<string, Play>> = {
  "access-draining": async () => {
    const { node, host } = await handHost("drain: true");
    await host.offer();
    return ask(node, { mac: host.macText });
  },
  "service-not-offered": async () => {
    const { node, host } = await handHost();
    await host.offer([textTag(TAG_SERVICE_NAME, "gold")]);
    return ask(node, { mac: host.macText });
  },
  "calls-too-often": async () => {
    const { node, host, world } = await handHost();
    for (let i = 0; i < 10; i++) host.say(PADI);
    await world.pass(100);
    return ask(node, { mac: host.macText });
  },
  "port-overloaded": async () => {
    const { node, host, world } = await handHost("padi-rate: 1");
    await new HandHost(world, node, 2).offer();
    await host.offer();
    return ask(node, { mac: host.macText });
  },
  "login-backoff": async () => {
    const { node, side, world } = await pta();
    for (let i = 1; i <= 6; i++) {
      const bob = side.subscriber(i, "bob", "wrong", macOf(1));
      bob.start();
      await world.until(() => side.offline.has(bob), 5000);
      await world.pass(500);
    }
    side.subscriber(7, "bob", "wrong", macOf(1)).start();
    await world.pass(100);
    return ask(node, { mac: "02:00:00:01:00:01" });
  },
  "discovery-malformed": async () => {
    const { node, host } = await handHost();
    await host.offer([textTag(TAG_SERVICE_NAME, ""), textTag(TAG_SERVICE_NAME, "")]);
    return ask(node, { mac: host.macText });
  },
  "host-gave-up": async () => {
    const { node, host } = await handHost();
    await host.call(textTag(TAG_GENERIC_ERROR, "out of memory"));
    return ask(node, { mac: host.macText });
  },
  "cookie-unfit": async () => {
    const { node, host, world } = await handHost();
    await host.offer();
    host.say(PADR, [textTag(TAG_SERVICE_NAME, ""), { type: TAG_AC_COOKIE, value: new Uint8Array(16) }]);
    await world.pass(100);
    return ask(node, { mac: host.macText });
  },
  "session-refused": async () => {
    const { node, host, world } = await handHost("max-sessions: 1");
    await new HandHost(world, node, 2).call();
    await host.call();
    return ask(node, { mac: host.macText });
  },
  "offer-not-taken": async () => {
    const { node, host } = await handHost();
    await host.offer();
    return ask(node, { mac: host.macText });
  },
};
