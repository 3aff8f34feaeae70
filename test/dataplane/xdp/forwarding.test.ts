/** What the program forwards, what it leaves to the loop, and how frames move between them. Needs root. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChannelId, PeerId } from "../../../src/channel/dataplane.ts";
import { formatMac } from "../../../src/wire/ethernet.ts";
import { l2tpMessage, numberedFrame, pppoeFrame, readL2tp, readPppoe, sequenceOf } from "../frames.ts";
import { ip } from "../loop/rig.ts";
import { lnsPeer, subscriberPeer } from "../rig.ts";
import { type XdpRig, xdpMissing, xdpRig } from "./rig.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 3, 1);

describe.skipIf(xdpMissing() !== undefined)("the program above the loop", () => {
  let rig: XdpRig;

  beforeEach(() => {
    sentUp = 0;
    sentDown = 0;
  });

  afterEach(() => rig.close());

  function join(session = 5): { pppoe: ChannelId; l2tp: ChannelId; lns: PeerId } {
    const { dataplane } = rig;
    const subscriber = dataplane.addPeer(subscriberPeer(rig, MAC));
    const lns = dataplane.addPeer(lnsPeer(rig));
    const pppoe = dataplane.addChannel({ kind: "pppoe", peer: subscriber, sessionId: session });
    const ids = { localTunnelId: 7, localSessionId: session, remoteTunnelId: 70, remoteSessionId: 1005 };
    return { pppoe, lns, l2tp: dataplane.addChannel({ kind: "l2tp", peer: lns, ...ids }) };
  }

  let sentUp = 0;
  let sentDown = 0;
  const up = (number: number) => {
    sentUp += 1;
    rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 5, numberedFrame(1, number)));
  };
  const down = (number: number) => {
    sentDown += 1;
    rig.fromRemote(rig.remotes[0], l2tpMessage(7, 5, numberedFrame(2, number)));
  };
  const numbersUp = () => rig.datagrams.map(({ datagram }) => sequenceOf(readL2tp(datagram).ppp));
  const numbersDown = () => rig.frames.map((frame) => sequenceOf(readPppoe(frame).ppp));

  /** Frames go both ways until the program has one of each. */
  async function programForwards({ pppoe, l2tp }: { pppoe: ChannelId; l2tp: ChannelId }): Promise<void> {
    const ofProgram = (channel: ChannelId) => rig.dataplane.framesIn(channel) - rig.loop.framesIn(channel);
    const before = [ofProgram(pppoe), ofProgram(l2tp)] as const;
    await rig.until("the program forwards both ways", () => {
      up(0);
      down(0);
      return ofProgram(pppoe) > before[0] && ofProgram(l2tp) > before[1];
    });
  }

  it.each(["native", "generic"] as const)(
    "forwards both ways, and the loop gets none of it (%s)",
    async (mode) => {
      rig = await xdpRig({ mode });
      const ends = join();
      await rig.dataplane.bridge(ends.pppoe, ends.l2tp);
      await programForwards(ends);
      const through = () => rig.datagrams.length === sentUp && rig.frames.length === sentDown;
      await rig.until("those are through", through);
      const before = rig.loop.framesIn(ends.pppoe) + rig.loop.framesIn(ends.l2tp);
      for (let number = 1; number <= 100; number++) {
        up(number);
        down(number);
      }
      await rig.until("all", () => numbersUp().at(-1) === 100 && numbersDown().at(-1) === 100);
      const all = Array.from({ length: 100 }, (_, i) => i + 1);
      expect(numbersUp().filter((number) => number > 0)).toEqual(all);
      expect(numbersDown().filter((number) => number > 0)).toEqual(all);
      expect(rig.loop.framesIn(ends.pppoe) + rig.loop.framesIn(ends.l2tp)).toBe(before);
      expect(rig.dataplane.interfaces!().map((each) => each.mode)).toEqual([mode, mode]);
    },
  );

  it("loses nothing when a session moves between the loop and the program under traffic", async () => {
    rig = await xdpRig({ mode: "native" });
    const ends = join();
    await rig.dataplane.bridge(ends.pppoe, ends.l2tp);
    await programForwards(ends);
    let sent = 0;
    for (let move = 0; move < 60; move++) {
      // to the loop, which numbers, and back
      rig.dataplane.setSequencing(ends.l2tp, move % 2 === 0 ? "always" : "follow");
      for (let i = 0; i < 20; i++) {
        sent += 1;
        up(sent);
        down(sent);
      }
      // a veth device has room for 256 frames that a busy machine has not got round to
      const most = move % 7 === 0 ? 20 : 120;
      await rig.until("what is on its way", () => sentUp - rig.datagrams.length < most);
      await rig.until("what is on its way", () => sentDown - rig.frames.length < most);
    }
    const all = Array.from({ length: sent }, (_, i) => i + 1);
    const inOrder = (numbers: number[]) => numbers.filter((number) => number > 0).toSorted((x, y) => x - y);
    // some of them have sequence numbers
    const arrivedUp = () => inOrder(rig.datagrams.map(({ datagram }) => sequenceOf(datagram.slice(-8))));
    await rig.until("all", () => arrivedUp().length >= sent && inOrder(numbersDown()).length >= sent);
    expect(arrivedUp()).toEqual(all);
    expect(inOrder(numbersDown())).toEqual(all);
    expect(rig.dataplane.framesIn(ends.pppoe)).toBeGreaterThan(rig.loop.framesIn(ends.pppoe));
  });

  it("loses nothing when a peer's neighbour goes and comes back", async () => {
    rig = await xdpRig({ mode: "native" });
    const ends = join();
    await rig.dataplane.bridge(ends.pppoe, ends.l2tp);
    await programForwards(ends);
    const { gateway, subscriber } = rig.core.cable;
    const neighbour = [
      "neighbour",
      "replace",
      rig.remotes[0],
      "dev",
      gateway.name,
      "nud",
      "permanent",
      "lladdr",
    ];
    ip(...neighbour, "02:00:00:00:77:77");
    await rig.until("frames go to the new neighbour", () => {
      up(1);
      const frame = rig.core.frames.at(-1);
      return frame?.[4] === 0x77 && frame[5] === 0x77;
    });
    ip(...neighbour, formatMac(subscriber.mac));
    await programForwards(ends);
  });

  it("goes on when the core interface was down, and has another name when it is up again", async () => {
    rig = await xdpRig({ mode: "native" });
    const ends = join();
    await rig.dataplane.bridge(ends.pppoe, ends.l2tp);
    await programForwards(ends);
    const { gateway, subscriber } = rig.core.cable;
    const renamed = `${gateway.name}x`;
    ip("link", "set", gateway.name, "down");
    for (let number = 0; number < 50; number++) up(number);
    ip("link", "set", gateway.name, "name", renamed);
    ip("link", "set", renamed, "up");
    // a neighbour does not outlive its device's being down
    const neighbour = ["dev", renamed, "nud", "permanent", "lladdr", formatMac(subscriber.mac)];
    ip("neighbour", "replace", rig.remotes[0], ...neighbour);
    await programForwards(ends);
    ip("link", "set", renamed, "name", gateway.name);
  });

  it("leaves a session alone whose access interface is pulled out under load", async () => {
    rig = await xdpRig({ mode: "native" });
    const ends = join();
    await rig.dataplane.bridge(ends.pppoe, ends.l2tp);
    await programForwards(ends);
    const stop = await rig.flood(pppoeFrame(rig.gatewayMac, MAC, 5, numberedFrame(1, 1)));
    rig.cable.remove();
    await rig.until("the port is down", () => rig.punts.some(({ kind }) => kind === "port-down"));
    await stop();
    down(1);
    await rig.dataplane.closeChannel(ends.pppoe);
    down(2);
    await rig.until("its frames are punted again", () =>
      rig.punts.some((punt) => punt.kind === "frame" && punt.channel === ends.l2tp),
    );
  });
});
