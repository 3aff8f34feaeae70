/** Junk as fast as a machine can send it, from forged addresses: memory stays what it was, and who calls gets in. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concatBytes } from "../../src/base/bytes.ts";
import { emitPppoeFrame } from "../../src/dataplane/pppoe-frame.ts";
import {
  BROADCAST_MAC,
  ETHERTYPE_PPPOE_DISCOVERY,
  ETHERTYPE_PPPOE_SESSION,
  emitEthernet,
} from "../../src/wire/ethernet.ts";
import { emitL2tp } from "../../src/wire/l2tp.ts";
import { emitMessage, type L2tpMessage } from "../../src/wire/l2tp-messages.ts";
import { emitPpp, PPP_LCP } from "../../src/wire/ppp.ts";
import { emitControlPacket } from "../../src/wire/ppp-control.ts";
import { emitDiscovery, PADI, PADR, PADT } from "../../src/wire/pppoe.ts";
import { TAG_AC_COOKIE, TAG_HOST_UNIQ, TAG_SERVICE_NAME, textTag } from "../../src/wire/pppoe-tags.ts";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { flood } from "../support/flood.ts";
import { datagramFrame } from "../support/frames.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { l2tpJunk } from "../support/junk.ts";
import type { Netns } from "../support/netns.ts";
import { seededRandom } from "../support/seeded-random.ts";
import {
  createSite,
  LAC_ADDRESS,
  LNS_ADDRESS,
  lacConfig,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const ALICE = { user: "alice@isp.example", password: PASSWORD } as const;
const BOB = { user: "bob@other.example", password: PASSWORD } as const;
/**
 * Where Bob's calls come from, and no other's: there is no tunnel with that address before he calls, so that it is an
 * SCCRQ, and the answer to it, that must get through the flood. The tunnel is gone before the next flood.
 */
const OTHER_ADDRESS = "10.8.0.3";
const SECRET = "secret-file: tunnel.secret";
const LAC_YAML = lacConfig({ access: ["sessions-per-mac: 4"], peer: [`source-address: ${LAC_ADDRESS}`] })
  .replace("listen: [", `listen: [{ address: ${OTHER_ADDRESS} }, `)
  .replace(
    "realms:\n",
    `    - { name: again, address: ${LNS_ADDRESS}, source-address: ${OTHER_ADDRESS}, local-host-name: again, tunnel-idle-timeout: 1s, ${SECRET} }
realms:
  other.example: { lns: again }
`,
  );
const LNS_YAML = lnsConfig().replace(
  "realms:\n",
  `    - { name: again, role: lac, host-name: again, address: ${OTHER_ADDRESS}, ${SECRET} }
realms:
  other.example: { terminate: subscribers }
`,
);
/** Different ones; they are sent again and again. */
const FRAMES = 20_000;
/** Fills what is bounded: buckets, half-open tunnels, compiled code. */
const WARM_UP_MS = 1500;
const FLOOD_MS = 5000;
/** Frames that the victim has dropped since. */
const FELT = 1000;
const LEAST_PER_SECOND = 100_000;
const CALL_LIMIT_MS = 3000;
/** After collection. A hundredth of an octet for each frame would be more. */
const HEAP_GROWTH_MAX = 6 << 20;
/** What V8 and the C library keep for the next time comes and goes. */
const RSS_GROWTH_MAX = 48 << 20;

const random = seededRandom(5);
const upTo = (n: number): number => random.uint32() % n;
const stranger = (): Uint8Array => concatBytes(Uint8Array.of(0x02, 0x77), random.bytes(4));
const many = (kinds: readonly (() => Uint8Array)[]): Uint8Array[] =>
  Array.from({ length: FRAMES }, (_, i) => kinds[i % kinds.length]!());

/** PADI and PADR of hosts that are not, the latter with cookies that nobody gave them, and frames of their sessions. */
function accessFlood(gateway: Uint8Array): Uint8Array[] {
  const discovery = (
    destination: Uint8Array,
    code: number,
    sessionId: number,
    cookie: boolean,
  ): Uint8Array => {
    const tags = [textTag(TAG_SERVICE_NAME, ""), { type: TAG_HOST_UNIQ, value: random.bytes(8) }];
    if (cookie) tags.push({ type: TAG_AC_COOKIE, value: random.bytes(24) });
    return emitEthernet({
      destination,
      source: stranger(),
      tags: [],
      etherType: ETHERTYPE_PPPOE_DISCOVERY,
      payload: emitDiscovery({ code, sessionId, tags }),
    });
  };
  const lcp = emitPpp(PPP_LCP, emitControlPacket({ code: 9, identifier: 1, data: new Uint8Array(4) }));
  return many([
    () => discovery(BROADCAST_MAC, PADI, 0, false),
    () => discovery(gateway, PADR, 0, true),
    () => discovery(BROADCAST_MAC, PADI, 0, false),
    () => discovery(gateway, PADR, 0, false),
    () => discovery(gateway, PADT, upTo(0x10000), false),
    () =>
      emitPppoeFrame(
        { kind: "ethernet", port: 0, localMac: stranger(), remoteMac: gateway, tags: [] },
        upTo(0x10000),
        lcp,
      ),
    () =>
      emitEthernet({
        destination: gateway,
        source: stranger(),
        tags: [],
        etherType: ETHERTYPE_PPPOE_SESSION,
        payload: random.bytes(upTo(100)),
      }),
  ]);
}

/** Control messages of peers that are not, from everywhere, to every tunnel, and data of sessions that are not. */
function tunnelFlood(
  macs: { to: Uint8Array; from: Uint8Array },
  addresses: { to: string; from: string },
  hostName: string,
): Uint8Array[] {
  const datagram = (payload: Uint8Array, source = `10.8.0.${100 + upTo(100)}`): Uint8Array =>
    datagramFrame(macs, {
      source,
      sourcePort: 1024 + upTo(60_000),
      destination: addresses.to,
      destinationPort: 1701,
      payload,
    });
  const control = (message: L2tpMessage | undefined, tunnelId: number, ns = 0): Uint8Array =>
    emitL2tp(
      {
        control: true,
        lengthBit: true,
        tunnelId,
        sessionId: 0,
        priority: false,
        sequence: { ns, nr: upTo(4) },
      },
      message === undefined ? new Uint8Array(0) : emitMessage(message),
    );
  const sccrq = (): Uint8Array =>
    control(
      {
        kind: "SCCRQ",
        protocolVersion: 0x0100,
        framingCapabilities: 3,
        // one that is accepted, were it not for the tunnel's secret
        hostName,
        assignedTunnelId: 1 + upTo(0xffff),
        challenge: random.bytes(16),
      },
      0,
    );
  const call = { kind: "ICRQ", assignedSessionId: 1, callSerialNumber: 1 } as const;
  const open = { tunnel: 1 + upTo(0xffff), session: 1 + upTo(0xffff) };
  return [
    ...l2tpJunk(macs, addresses, open),
    ...many([
      () => datagram(sccrq()),
      () => datagram(control(call, 1 + upTo(0xffff), upTo(4))),
      () => datagram(control(undefined, upTo(0x10000))),
      () => datagram(concatBytes(Uint8Array.of(0, 2), random.bytes(4 + upTo(100)))),
      () => datagram(random.bytes(1 + upTo(200))),
      () => datagram(sccrq().subarray(0, 12 + upTo(60))),
      // in the name of the peer's own address
      () => datagram(control(call, 1 + upTo(0xffff), upTo(4)), addresses.from),
      () => datagram(concatBytes(Uint8Array.of(0, 2), random.bytes(4 + upTo(100))), addresses.from),
    ]),
  ];
}

/** Of what, from where on which device, at whom, and counters that say that it was dropped. */
type Attack = [string, () => [Netns, string, Uint8Array[]], () => GatewayProcess, string[]];

describe.skipIf(!isRoot)("a flood", () => {
  let site: Site;
  let lac: GatewayProcess;
  let lns: GatewayProcess;
  let alice: DialProcess;

  beforeAll(async () => {
    site = createSite();
    site.lac.ip("address", "add", `${OTHER_ADDRESS}/24`, "dev", "core0");
    const files = secretFiles(ALICE.user, BOB.user);
    [lac, lns] = await Promise.all([
      GatewayProcess.start(site.lac, LAC_YAML, files),
      GatewayProcess.start(site.lns, LNS_YAML, files),
    ]);
    ({ dial: alice } = await DialProcess.online(site.subscriber, ALICE));
  });

  afterAll(async () => {
    await alice?.kill();
    for (const gateway of [lac, lns]) await gateway?.close();
    site?.close();
  });

  const from = (name: "lac" | "lns"): [Netns, string, string] =>
    name === "lac" ? [site.lns, LAC_ADDRESS, LNS_ADDRESS] : [site.lac, LNS_ADDRESS, LAC_ADDRESS];

  const toTunnel = (name: "lac" | "lns"): [Netns, string, Uint8Array[]] => {
    const [sender, to, source] = from(name);
    const gateway = name === "lac" ? site.lac : site.lns;
    const macs = { to: gateway.macOf("core0"), from: sender.macOf("core0") };
    const hostName = name === "lac" ? "lns" : "lac";
    return [sender, "core0", tunnelFlood(macs, { to, from: source }, hostName)];
  };

  it.each([
    [
      "UDP port 1701 of the LNS",
      () => toTunnel("lns"),
      () => lns,
      ["drops.unknown-tunnel", "drops.policed", "l2tp.discarded.malformed"],
    ],
    [
      "UDP port 1701 of the LAC",
      () => toTunnel("lac"),
      () => lac,
      ["drops.unknown-tunnel", "drops.policed", "l2tp.discarded.malformed"],
    ],
    [
      "the access port",
      () => [site.subscriber, "sub0", accessFlood(site.lac.macOf("acc0"))],
      () => lac,
      [
        "drops.unknown-session",
        ...["forged-cookie", "no-cookie", "unknown-session", "padi-rate-of-mac"].map(
          (reason) => `pppoe.acc0.discarded.${reason}`,
        ),
      ],
    ],
  ] satisfies readonly Attack[])(
    "of junk at %s takes no memory, and a call during it gets in by a new tunnel",
    async (_, attack, victim, counters) => {
      const [sender, device, frames] = attack();
      await flood(sender, device, frames, WARM_UP_MS);
      const before = await victim().memory();
      const tunnels = (await lac.show("tunnels")).map(({ localTunnelId }) => localTunnelId);
      const dropped = await victim().counter(counters[0]!);
      const flooding = flood(sender, device, frames, FLOOD_MS);
      await eventually(
        "the flood has begun",
        async () => (await victim().counter(counters[0]!)) > dropped + FELT,
      );
      const { dial, up } = await DialProcess.online(site.subscriber, BOB);
      const onward = (await lac.session(BOB.user)).onward;
      const { sent, processorSeconds } = await flooding;
      const after = await victim().memory();
      await dial.hangUp();
      // of the sender's own time: the machine may have more to do than this
      expect(sent / processorSeconds).toBeGreaterThan(LEAST_PER_SECOND);
      expect(up.setupMs, JSON.stringify(await victim().show("counters"))).toBeLessThan(CALL_LIMIT_MS);
      expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(
        HEAP_GROWTH_MAX,
      );
      expect(after.rss - before.rss).toBeLessThan(RSS_GROWTH_MAX);
      expect(tunnels).not.toContain(onward?.localTunnelId);
      for (const name of counters) expect(await victim().counter(name), name).toBeGreaterThan(0);
      expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
      expect((await lns.session(ALICE.user)).state).toBe("open");
    },
  );
});
