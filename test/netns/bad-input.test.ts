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
const JUNK_PER_SECOND = 700;
const JUNK_COUNT = 1500;
const PADI_COUNT = 2000;
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
  const allIsWell = async (...floods: Promise<unknown>[]): Promise<void> => {
    const pings = await ping(site.subscriber, {
      to: FAR_HOST,
      count: 150,
      intervalMs: 20,
      packetBytes: 1000,
    });
    await Promise.all(floods);
    expect(pings.received, pings.output).toBe(pings.sent);
    const bob = await DialProcess.online(site.subscriber, BOB);
    await lns.session(BOB.user);
    await bob.dial.hangUp();
    expect((await lac.session(ALICE.user)).state).toBe("open");
    expect((await lns.session(ALICE.user)).address).toBe(alice.up.address);
    expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
  };
  /** The counters of drops and discards that are not zero. */
  const counted = async (gateway: GatewayProcess): Promise<string[]> => {
    const counters = Object.entries(await gateway.show("counters")).filter(([, count]) => count > 0);
    return counters
      .map(([name]) => name)
      .filter((name) => name.startsWith("drops.") || name.includes("discarded"));
  };

  it("on every port is dropped and counted by reason", async () => {
    const macs = {
      subscriber: site.subscriber.macOf("sub0"),
      access: site.lac.macOf("acc0"),
      lac: site.lac.macOf("core0"),
      lns: site.lns.macOf("core0"),
    };
    const atLacs = (await lac.session(ALICE.user)).onward!;
    const atLnss = await lns
      .session(ALICE.user)
      .then(({ origin }) => (origin.kind === "l2tp" ? origin : undefined));
    const onAccess = accessJunk({ to: macs.access, from: macs.subscriber }, alice.up.pppoeSessionId);
    const toLac = l2tpJunk(
      { to: macs.lac, from: macs.lns },
      { to: LAC_ADDRESS, from: LNS_ADDRESS },
      { tunnel: atLacs.localTunnelId, session: atLacs.localSessionId },
    );
    const toLns = l2tpJunk(
      { to: macs.lns, from: macs.lac },
      { to: LNS_ADDRESS, from: LAC_ADDRESS },
      { tunnel: atLnss!.localTunnelId, session: atLnss!.localSessionId },
    );
    await allIsWell(
      access.flood(onAccess, JUNK_COUNT, JUNK_PER_SECOND),
      atLns.flood(toLac, JUNK_COUNT, JUNK_PER_SECOND),
      atLac.flood(toLns, JUNK_COUNT, JUNK_PER_SECOND),
    );
    expect(await counted(lac)).toEqual(
      expect.arrayContaining([
        "pppoe.acc0.discarded.truncated",
        "pppoe.acc0.discarded.bad-version",
        "pppoe.acc0.discarded.bad-tag",
        "pppoe.acc0.discarded.bad-destination",
      ]),
    );
    // malformed IP: what the bridge carried to the LNS in Alice's name
    expect(await counted(lns)).toContain("drops.malformed-ip");
    for (const gateway of [lac, lns])
      expect(await counted(gateway)).toEqual(
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

  it("in a subscriber's own session harms nobody else", async () => {
    const stations = { destination: site.lac.macOf("acc0"), source: site.subscriber.macOf("sub0") };
    const floods = VICTIMS.map(async (user) => {
      const { dial, up } = await DialProcess.online(site.subscriber, { user, password: PASSWORD });
      const frames = pppJunk().map((ppp) => sessionFrame({ ...stations, sessionId: up.pppoeSessionId }, ppp));
      await access.flood(frames, JUNK_COUNT, JUNK_PER_SECOND);
      await dial.kill();
    });
    await allIsWell(...floods);
    for (const gateway of [lac, lns]) expect(await counted(gateway)).toContain("drops.policed");
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
    const padis = Array.from({ length: PADI_COUNT }, (_, i) => (i % 2 === 0 ? padi(macOf(0x11, i)) : one));
    await allIsWell(access.flood(padis, PADI_COUNT, 1000));
    // on a busy machine this process, too, loses some of what it should hear
    expect(offersTo(0x11)).toBeGreaterThan(PADI_COUNT / 8);
    // one a second and a burst of five, while the flood lasts, which may be longer on a busy machine
    expect(offersTo(0x12)).toBeGreaterThan(0);
    expect(offersTo(0x12)).toBeLessThan(60);
  });
});
