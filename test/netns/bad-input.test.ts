/** Junk and floods on every port, while subscribers are online: it is dropped and counted, and nobody loses anything. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROADCAST_MAC, ETHERTYPE_PPPOE_DISCOVERY, emitEthernet } from "../../src/wire/ethernet.ts";
import { emitDiscovery, PADI, PADO } from "../../src/wire/pppoe.ts";
import { TAG_SERVICE_NAME, textTag } from "../../src/wire/pppoe-tags.ts";
import { DialProcess, type DialUp } from "../support/dial-process.ts";
import { discoveryOf, sessionFrame } from "../support/frames.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { accessJunk, l2tpJunk, pppJunk } from "../support/junk.ts";
import { ping } from "../support/ping.ts";
import {
  createSite,
  FAR_HOST,
  LAC_ADDRESS,
  LNS_ADDRESS,
  lacConfig,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";
import { Wire } from "../support/wire.ts";

const ALICE = { user: "alice@isp.example", password: PASSWORD } as const;
const BOB = { user: "bob@isp.example", password: PASSWORD } as const;
const VICTIMS = ["victim@isp.example", "victim@local.example"];
/** A rate that a busy machine bears; each flood lasts 2 s. */
const JUNK_PER_SECOND = 1000;
const JUNK_COUNT = 2000;
const LAC = lacConfig({
  // every call of these tests comes from one MAC address
  access: ["sessions-per-mac: 4"],
  more: [
    "  local.example: { terminate: local }",
    "users-file: users.yaml",
    "units:",
    "  local: { name: ppp%d, address: 100.65.0.1, pool: 100.65.0.0/24 }",
  ],
});

describe.skipIf(!isRoot)("bad input", () => {
  let site: Site;
  let lac: GatewayProcess;
  let lns: GatewayProcess;
  let alice: { dial: DialProcess; up: DialUp };
  let access: Wire;
  let atLac: Wire;
  let atLns: Wire;

  beforeAll(async () => {
    site = createSite();
    const files = secretFiles(ALICE.user, BOB.user, ...VICTIMS);
    [lac, lns, access, atLac, atLns] = await Promise.all([
      GatewayProcess.start(site.lac, LAC, files),
      GatewayProcess.start(site.lns, lnsConfig(), files),
      Wire.open(site.subscriber, "sub0"),
      Wire.open(site.lac, "core0"),
      Wire.open(site.lns, "core0"),
    ]);
    alice = await DialProcess.online(site.subscriber, { ...ALICE, device: "each" });
    site.subscriber.ip("route", "add", FAR_HOST, "dev", "dial0");
  });

  afterAll(async () => {
    await alice?.dial.kill();
    for (const process of [lac, lns, access, atLac, atLns]) await process?.close();
    site?.close();
  });

  /** Neither gateway has lost anything that Alice sent or got, or complained; and Bob gets in. */
  const allIsWell = async (flood: Promise<unknown>): Promise<void> => {
    const pings = await ping(site.subscriber, {
      to: FAR_HOST,
      count: 150,
      intervalMs: 20,
      packetBytes: 1000,
    });
    await flood;
    expect(pings.received, pings.output).toBe(pings.sent);
    const bob = await DialProcess.online(site.subscriber, BOB);
    await lns.session(BOB.user);
    await bob.dial.hangUp();
    expect((await lac.session(ALICE.user)).state).toBe("open");
    expect((await lns.session(ALICE.user)).address).toBe(alice.up.address);
    expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
  };
  /** The counters of drops and discards that grow while `act` runs. */
  const countedDuring = async (gateway: GatewayProcess, act: () => Promise<void>): Promise<string[]> => {
    const before = await gateway.show("counters");
    await act();
    const after = await gateway.show("counters");
    const grown = Object.keys(after).filter((name) => (after[name] ?? 0) > (before[name] ?? 0));
    return grown.filter((name) => name.startsWith("drops.") || name.includes("discarded"));
  };

  it("on the access line is dropped and counted by reason", async () => {
    const stations = { to: site.lac.macOf("acc0"), from: site.subscriber.macOf("sub0") };
    const junk = accessJunk(stations, alice.up.pppoeSessionId);
    const malformedBefore = await lns.counter("drops.malformed-ip");
    const counted = await countedDuring(lac, () =>
      allIsWell(access.flood(junk, JUNK_COUNT, JUNK_PER_SECOND)),
    );
    expect(counted).toEqual(
      expect.arrayContaining([
        "drops.truncated",
        "drops.bad-version",
        "drops.unknown-session",
        "drops.wrong-source",
        "pppoe.acc0.discarded.truncated",
        "pppoe.acc0.discarded.bad-version",
        "pppoe.acc0.discarded.bad-tag",
        "pppoe.acc0.discarded.bad-destination",
      ]),
    );
    // what the bridge carried to the LNS in Alice's name
    expect(await lns.counter("drops.malformed-ip")).toBeGreaterThan(malformedBefore);
  });

  it.each(["LAC", "LNS"])("on the %s's UDP port is dropped and counted by reason", async (which) => {
    const gateway = which === "LAC" ? lac : lns;
    const macs = { LAC: site.lac.macOf("core0"), LNS: site.lns.macOf("core0") };
    const { localTunnelId } = (await gateway.show("tunnels"))[0]!;
    const session = await gateway.session(ALICE.user);
    const leg = session.onward ?? session.origin;
    const open = { tunnel: localTunnelId, session: leg.kind === "l2tp" ? leg.localSessionId : 0 };
    const junk =
      which === "LAC"
        ? l2tpJunk({ to: macs.LAC, from: macs.LNS }, { to: LAC_ADDRESS, from: LNS_ADDRESS }, open)
        : l2tpJunk({ to: macs.LNS, from: macs.LAC }, { to: LNS_ADDRESS, from: LAC_ADDRESS }, open);
    const wire = which === "LAC" ? atLns : atLac;
    const counted = await countedDuring(gateway, () =>
      allIsWell(wire.flood(junk, JUNK_COUNT, JUNK_PER_SECOND)),
    );
    expect(counted).toEqual(
      expect.arrayContaining([
        "drops.truncated",
        "drops.bad-version",
        "drops.bad-length",
        "drops.unknown-tunnel",
        "drops.unknown-session",
        "drops.wrong-source",
        "l2tp.discarded.malformed",
        "l2tp.discarded.unknown-tunnel",
        "l2tp.discarded.wrong-source",
      ]),
    );
  });

  it.each(VICTIMS)("in a subscriber's own session harms nobody else: %s", async (user) => {
    const { dial, up } = await DialProcess.online(site.subscriber, { user, password: PASSWORD });
    const stations = { destination: site.lac.macOf("acc0"), source: site.subscriber.macOf("sub0") };
    const frames = pppJunk().map((ppp) => sessionFrame({ ...stations, sessionId: up.pppoeSessionId }, ppp));
    await allIsWell(access.flood(frames, JUNK_COUNT, JUNK_PER_SECOND));
    await dial.kill();
    expect((await lac.counter("drops.policed")) + (await lns.counter("drops.policed"))).toBeGreaterThan(0);
  });

  it("in the form of a thousand PADIs a second is answered within limits", async () => {
    const padi = (mac: Uint8Array): Uint8Array =>
      emitEthernet({
        destination: BROADCAST_MAC,
        source: mac,
        tags: [],
        etherType: ETHERTYPE_PPPOE_DISCOVERY,
        payload: emitDiscovery({ code: PADI, sessionId: 0, tags: [textTag(TAG_SERVICE_NAME, "")] }),
      });
    const macOf = (kind: number, i: number): Uint8Array => Uint8Array.of(0x02, kind, 0, 0, i >>> 8, i);
    const offersTo = (kind: number): number =>
      access.all((frame) => {
        const packet = discoveryOf(frame);
        return packet?.code === PADO && packet.destination[0] === 2 && packet.destination[1] === kind
          ? packet
          : undefined;
      }).length;

    // each from an address of its own, and as many from one
    const one = padi(macOf(0x12, 0));
    const padis = Array.from({ length: JUNK_COUNT }, (_, i) => (i % 2 === 0 ? padi(macOf(0x11, i)) : one));
    await allIsWell(access.flood(padis, JUNK_COUNT, 1000));
    // on a busy machine this process, too, loses some of what it should hear
    expect(offersTo(0x11)).toBeGreaterThan(JUNK_COUNT / 8);
    // one a second and a burst of five, while the flood lasts, which may be longer on a busy machine
    expect(offersTo(0x12)).toBeGreaterThan(0);
    expect(offersTo(0x12)).toBeLessThan(60);
  });
});
