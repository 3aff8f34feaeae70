/** When changes are complete that overtake each other: nobody waits for the first of them. */

import { beforeEach, describe, expect, it } from "vitest";
import type { ChannelId, PeerId } from "../../../src/channel/dataplane.ts";
import { fakeSite } from "./fakes.ts";

/** Everything that waits for nothing but its turn has had it. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a change that follows an unbridge() nobody has waited for", () => {
  let site: Awaited<ReturnType<typeof fakeSite>>;
  let subscriber: PeerId;
  let lns: PeerId;
  let pppoe: ChannelId;
  let l2tp: ChannelId;

  beforeEach(async () => {
    site = await fakeSite();
    const { dataplane, access, tunnel } = site;
    const remoteMac = Uint8Array.of(2, 0, 0, 0, 0, 1);
    const localMac = Uint8Array.of(2, 0, 0, 0, 0, 0xac);
    subscriber = dataplane.addPeer({ kind: "ethernet", port: access, remoteMac, localMac, tags: [] });
    lns = dataplane.addPeer({
      kind: "udp",
      port: tunnel,
      address: "192.0.2.2",
      udpPort: 1701,
      pathMtuBytes: 1500,
      addressControl: true,
      lengthBit: true,
      checksum: true,
      oversize: "fragment",
    });
    pppoe = dataplane.addChannel({ kind: "pppoe", peer: subscriber, sessionId: 5 });
    l2tp = dataplane.addChannel({
      kind: "l2tp",
      peer: lns,
      localTunnelId: 7,
      localSessionId: 6,
      remoteTunnelId: 70,
      remoteSessionId: 1006,
    });
    await dataplane.bridge(pppoe, l2tp);
    site.program.holds = true;
  });

  /** Runs of the program may still go by the bridge that was until pass(); nothing may be complete before. */
  async function expectToWait(change: Promise<void>): Promise<void> {
    let complete = false;
    const done = change.then(() => {
      complete = true;
    });
    await turn();
    expect(complete).toBe(false);
    site.program.pass();
    await done;
  }

  it("is not complete before the program has let go: closing that end", async () => {
    const unbridged = site.dataplane.unbridge(pppoe);
    await expectToWait(site.dataplane.closeChannel(pppoe));
    await unbridged;
  });

  it("is not complete before the program has let go: closing the other end", async () => {
    const closed = site.dataplane.closeChannel(pppoe);
    await expectToWait(site.dataplane.closeChannel(l2tp));
    await closed;
  });

  it("is not complete before the program has let go: attaching to a unit", async () => {
    const unit = await site.dataplane.createUnit({
      name: "lw0",
      mtuBytes: 1492,
      addresses: ["192.0.2.129/32"],
      routes: [],
      shared: false,
    });
    const unbridged = site.dataplane.unbridge(pppoe);
    const spec = { unit, addresses: ["198.51.100.1"], mruBytes: 1492, clampMss: false, ipv6: false };
    await expectToWait(site.dataplane.attach(pppoe, spec));
    await unbridged;
  });

  it("waits for nothing when the program has let go before", async () => {
    const unbridged = site.dataplane.unbridge(pppoe);
    await turn();
    site.program.pass();
    await unbridged;
    await site.dataplane.closeChannel(pppoe);
    await site.dataplane.closeChannel(l2tp);
  });
});
