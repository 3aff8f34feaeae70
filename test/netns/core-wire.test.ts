/** What goes over the core link: marks, checksums, framing, fragments; and what becomes of TCP's MSS. */

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../../src/wire/ipv4.ts";
import { emitPpp, PPP_IPV4 } from "../../src/wire/ppp.ts";
import { DialProcess, type DialUp } from "../support/dial-process.ts";
import { ipv4Of, l2tpOf, packetFrame, pppOf, sessionFrame } from "../support/frames.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { connect, type Netns } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import {
  createSite,
  LAC_ADDRESS,
  LNS_ADDRESS,
  PASSWORD,
  quietNetns,
  type Site,
  secretFiles,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";
import { hasRightChecksum, mssOf, tcpSyn } from "../support/tcp-syn.ts";
import { Wire } from "../support/wire.ts";

/** A second address of the LNS: as a peer of the LAC, with other framing. */
const LNS_BARE_ADDRESS = "10.8.0.3";
const FAR_NET = "192.0.2";
const FAR_HOST = `${FAR_NET}.10`;
const DSCP_CS6 = 0xc0;

const LAC = `name: lac
access:
  - { interface: acc0 }
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
    - { name: lns, address: ${LNS_ADDRESS}, secret-file: tunnel.secret }
    - name: bare
      address: ${LNS_BARE_ADDRESS}
      secret-file: tunnel.secret
      udp-checksum: false
      address-control: false
      length-bit: false
      oversize: drop
realms:
  isp.example: { lns: lns }
  small.example: { lns: lns }
  bare.example: { lns: bare }
`;

const LNS = `name: lns
l2tp:
  listen: [{ address: ${LNS_ADDRESS} }, { address: ${LNS_BARE_ADDRESS} }]
  peers:
    - { name: lac, role: lac, host-name: lac, secret-file: tunnel.secret }
realms:
  isp.example: { terminate: subscribers }
  bare.example: { terminate: subscribers }
  small.example: { terminate: small }
users-file: users.yaml
units:
  subscribers: { name: ppp%d, address: 100.64.0.1, pool: 100.64.0.0/24 }
  small: { name: small%d, address: 100.64.1.1, pool: 100.64.1.0/24, mtu: 1400 }
`;

describe.skipIf(!isRoot)("on the core link", () => {
  let site: Site;
  let internet: Netns;
  let lac: GatewayProcess;
  let lns: GatewayProcess;
  let access: Wire;
  let fromLac: Wire;
  let fromLns: Wire;
  let farHost: Wire;
  const dials: DialProcess[] = [];

  const call = async (user: string): Promise<DialUp> => {
    const { dial, up } = await DialProcess.online(site.subscriber, {
      user,
      password: PASSWORD,
      device: "each",
    });
    dials.push(dial);
    site.subscriber.ip("route", "replace", `${FAR_NET}.0/24`, "dev", up.device ?? "");
    return up;
  };
  const data = (wire: Wire) => wire.all(l2tpOf).filter(({ l2tp }) => !l2tp.header.control);
  const control = (wire: Wire) => wire.all(l2tpOf).filter(({ l2tp }) => l2tp.header.control);
  const fragments = (wire: Wire) =>
    wire
      .all(ipv4Of)
      .filter((ip) => ip.protocol === PROTOCOL_UDP && (ip.moreFragments || ip.fragmentOffset > 0));

  beforeAll(async () => {
    site = createSite();
    site.lns.ip("address", "add", `${LNS_BARE_ADDRESS}/24`, "dev", "core0");
    internet = quietNetns("inet");
    connect(site.lns, "out0", internet, "host0");
    site.lns.configure("out0", `${FAR_NET}.1/24`);
    internet.configure("host0", `${FAR_HOST}/24`);
    internet.ip("route", "add", "100.64.0.0/16", "via", `${FAR_NET}.1`);
    site.lns.run("sysctl", "-qw", "net.ipv4.ip_forward=1");
    const files = secretFiles("a@isp.example", "b@bare.example", "c@small.example");
    [lac, lns, access, fromLac, fromLns, farHost] = await Promise.all([
      GatewayProcess.start(site.lac, LAC, files),
      GatewayProcess.start(site.lns, LNS, files),
      Wire.open(site.subscriber, "sub0"),
      Wire.open(site.lns, "core0"),
      Wire.open(site.lac, "core0"),
      Wire.open(internet, "host0"),
    ]);
  });

  afterEach(async () => {
    for (const dial of dials.splice(0)) await dial.hangUp();
    for (const wire of [access, fromLac, fromLns, farHost]) wire.clear();
  });

  afterAll(async () => {
    for (const process of [lac, lns, access, fromLac, fromLns, farHost]) await process?.close();
    internet?.delete();
    site?.close();
  });

  it("control messages carry DSCP CS6, data does not", async () => {
    await call("a@isp.example");
    await ping(site.subscriber, { to: FAR_HOST });
    for (const wire of [fromLac, fromLns]) {
      expect(control(wire).length).toBeGreaterThan(1);
      expect(new Set(control(wire).map(({ ip }) => ip.tos))).toEqual(new Set([DSCP_CS6]));
      // what a program forwards that came in on this end is not to be seen here
      if (wire === fromLns && process.env.LACEWING_ENGINE === "xdp") continue;
      expect(data(wire).length).toBeGreaterThan(5);
      expect(new Set(data(wire).map(({ ip }) => ip.tos))).toEqual(new Set([0]));
    }
  });

  it("data has checksums, FF03 and the length unless the peer's policy says otherwise", async () => {
    const startsWithFf03 = ({ payload }: { payload: Uint8Array }): boolean =>
      payload[0] === 0xff && payload[1] === 0x03;
    await call("a@isp.example");
    expect((await ping(site.subscriber, { to: FAR_HOST })).received).toBe(5);
    expect(data(fromLac).length).toBeGreaterThan(5);
    for (const { l2tp, udpChecksum } of [...data(fromLac), ...data(fromLns)]) {
      expect(udpChecksum).not.toBe(0);
      expect(startsWithFf03(l2tp)).toBe(true);
      expect(l2tp.header.lengthBit).toBe(true);
    }
    for (const wire of [fromLac, fromLns]) wire.clear();
    await dials.pop()?.hangUp();

    await call("b@bare.example");
    expect((await ping(site.subscriber, { to: FAR_HOST })).received).toBe(5);
    const bare = data(fromLac).filter(({ ip }) => ip.destination[3] === 3);
    expect(bare.length).toBeGreaterThan(5);
    for (const { l2tp, udpChecksum } of bare) {
      expect(udpChecksum).toBe(0);
      expect(startsWithFf03(l2tp)).toBe(false);
      expect(l2tp.header.lengthBit).toBe(false);
    }
    // control messages keep their checksums, and so does the LNS, whose policy is another
    for (const { udpChecksum } of [...control(fromLac), ...data(fromLns)]) expect(udpChecksum).not.toBe(0);
  });

  it("packets of 1492 octets go in fragments with DF clear, both ways", async () => {
    const { mtuBytes } = await call("a@isp.example");
    expect(mtuBytes).toBe(1492);
    const words = { to: FAR_HOST, packetBytes: 1492, dontFragment: true } as const;
    const { received, output, rounds } = await ping(site.subscriber, words);
    expect(received, output).toBe(5);
    for (const wire of [fromLac, fromLns]) {
      // who captures may be behind what he captures
      await vi.waitFor(() => expect(fragments(wire)).toHaveLength(10 * rounds));
      const parts = fragments(wire);
      expect(parts.some(({ dontFragment }) => dontFragment)).toBe(false);
      expect(Math.max(...parts.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1480);
    }
  });

  it("packets that do not fit are dropped and counted, where the policy says so", async () => {
    await call("b@bare.example");
    const before = await lac.counter("drops.too-big");
    const words = { to: FAR_HOST, patienceSeconds: 0.2 } as const;
    expect((await ping(site.subscriber, { ...words, packetBytes: 1492 })).received).toBe(0);
    expect(await lac.counter("drops.too-big")).toBe(before + 5);
    expect(fragments(fromLac)).toEqual([]);
    // 1500 less IPv4, UDP, L2TP without length, and the protocol field
    expect((await ping(site.subscriber, { to: FAR_HOST, packetBytes: 1500 - 20 - 8 - 6 - 2 })).received).toBe(
      5,
    );
  });

  it("TCP's MSS is what the session takes, in both directions", async () => {
    const up = await call("c@small.example");
    const lnsOutside = site.lns.macOf("out0");
    const from = { source: site.subscriber.macOf("sub0"), destination: site.lac.macOf("acc0") };
    const outwards = tcpSyn({ source: up.address, destination: FAR_HOST, mss: 8960 });
    access.send(sessionFrame({ ...from, sessionId: up.pppoeSessionId }, emitPpp(PPP_IPV4, outwards)));
    const inwards = tcpSyn({ source: FAR_HOST, destination: up.address, mss: 8960 });
    farHost.send(packetFrame({ to: lnsOutside, from: internet.macOf("host0") }, inwards));

    const arrived = await farHost.first("a SYN at the far host", (frame) => {
      const ip = ipv4Of(frame);
      return ip?.protocol === PROTOCOL_TCP && mssOf(ip) !== undefined ? ip : undefined;
    });
    expect(mssOf(arrived)).toBe(1400 - 40);
    expect(hasRightChecksum(arrived)).toBe(true);

    const delivered = await access.first("a SYN at the subscriber", (frame) => {
      const ppp = pppOf(frame);
      const ip = ppp?.protocol === PPP_IPV4 ? ipv4Of(packetFrame(NOWHERE, ppp.information)) : undefined;
      return ip?.protocol === PROTOCOL_TCP && mssOf(ip) !== undefined ? ip : undefined;
    });
    expect(mssOf(delivered)).toBe(1400 - 40);
    expect(hasRightChecksum(delivered)).toBe(true);
  });
});

/** For a packet that is only to be read. */
const NOWHERE = { to: new Uint8Array(6), from: new Uint8Array(6) };
