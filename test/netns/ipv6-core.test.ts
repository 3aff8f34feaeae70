/** L2TP over IPv6, between the kernels of a LAC and an LNS that have no IPv4 address for it. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import type { Netns } from "../support/netns.ts";
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

const LAC_IPV6 = "2001:db8:8::1";
const LNS_IPV6 = "2001:db8:8::2";
const USER = "a@isp.example";

const ETHERTYPE_AT = 12;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const NEXT_HEADER_AT = 20;
const UDP = 17;
const FRAGMENT = 44;

const etherTypeOf = (frame: Uint8Array): number => (frame[ETHERTYPE_AT]! << 8) | frame[ETHERTYPE_AT + 1]!;

/** The Next Header of an IPv6 packet. */
const nextHeaderOf = (frame: Uint8Array): number | undefined =>
  etherTypeOf(frame) === ETHERTYPE_IPV6 ? frame[NEXT_HEADER_AT] : undefined;

describe.skipIf(!isRoot)("L2TP over IPv6", () => {
  let site: Site;
  const started: { close(): Promise<void> }[] = [];

  beforeEach(() => {
    site = createSite();
    const speakIpv6 = (netns: Netns, address: string, ipv4: string): void => {
      netns.run("sysctl", "-qw", "net.ipv6.conf.core0.disable_ipv6=0");
      netns.ip("address", "del", `${ipv4}/24`, "dev", "core0");
      netns.ip("-6", "address", "add", `${address}/64`, "dev", "core0", "nodad");
    };
    speakIpv6(site.lac, LAC_IPV6, LAC_ADDRESS);
    speakIpv6(site.lns, LNS_IPV6, LNS_ADDRESS);
  });

  afterEach(async () => {
    for (const each of started.splice(0).toReversed()) await each.close();
    site.close();
  });

  it("brings a subscriber's packets to the LNS and back, also those that go in fragments", async () => {
    const files = secretFiles(USER);
    const ipv6 = (yaml: string) =>
      yaml.replaceAll(LAC_ADDRESS, `"${LAC_IPV6}"`).replaceAll(LNS_ADDRESS, `"${LNS_IPV6}"`);
    const [lac, lns, wire] = await Promise.all([
      GatewayProcess.start(site.lac, ipv6(lacConfig()), files),
      GatewayProcess.start(site.lns, ipv6(lnsConfig()), files),
      Wire.open(site.lns, "core0"),
    ]);
    started.push(lac, lns, wire);
    const { dial, up } = await DialProcess.online(site.subscriber, {
      user: USER,
      password: PASSWORD,
      device: "each",
    });
    started.push({ close: () => dial.kill() });
    site.subscriber.ip("route", "add", `${FAR_HOST}/32`, "dev", up.device!);

    expect(await lac.show("tunnels")).toMatchObject([{ peer: "lns", remoteAddress: LNS_IPV6 }]);
    expect(await lns.show("tunnels")).toMatchObject([{ peer: "lac", remoteAddress: LAC_IPV6 }]);
    expect(await ping(site.subscriber, { to: FAR_HOST })).toMatchObject({ sent: 5, received: 5 });
    expect(wire.all(nextHeaderOf)).toContain(UDP);
    expect(wire.all(nextHeaderOf)).not.toContain(FRAGMENT);
    // 1,492 octets of IPv4: 1,552 outside, where 1,500 fit
    const large = await ping(site.subscriber, { to: FAR_HOST, packetBytes: 1492, dontFragment: true });
    expect(large).toMatchObject({ sent: 5, received: 5 });
    expect(wire.all(nextHeaderOf)).toContain(FRAGMENT);
    expect(wire.heard.map(etherTypeOf)).not.toContain(ETHERTYPE_IPV4);
    for (const gateway of [lac, lns]) expect(gateway.complaints()).toEqual([]);
  });
});
