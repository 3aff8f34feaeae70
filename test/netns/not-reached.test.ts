/** LNSes that are not reached, each in its way: what the kernel and the network say of them is what an operator reads. */

import { afterEach, describe, expect, it } from "vitest";
import { xdpMissing } from "../dataplane/xdp/rig.ts";
import { CommandProcess } from "../support/command-process.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { createSite, LAC_ADDRESS, LNS_ADDRESS, type Site } from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const NO_ROUTE = "198.51.100.7";
const PROHIBITED = "198.51.100.8";
const ABSENT = "10.8.0.9";

function lacYaml(engine: string): string {
  return `name: lac
data-plane: { engine: ${engine} }
access: [{ interface: acc0 }]
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
    - { name: closed, address: ${LNS_ADDRESS} }
    - { name: nowhere, address: ${NO_ROUTE} }
    - { name: prohibited, address: ${PROHIBITED} }
    - { name: absent, address: ${ABSENT} }
`;
}

const REASONS = {
  closed: `SCCRQ sent 3 times, no SCCRP; ${LNS_ADDRESS} says that nobody listens at UDP port 1701 of ${LNS_ADDRESS} (ICMP port unreachable)`,
  nowhere: `no route to ${NO_ROUTE} (ENETUNREACH), no SCCRP`,
  prohibited: `the routes of this host prohibit ${PROHIBITED} (EACCES), no SCCRP`,
  // nobody answers ARP, and the kernel says so itself
  absent: `SCCRQ sent 3 times, no SCCRP; ${LAC_ADDRESS} says that the host ${ABSENT} is not there (ICMP host unreachable)`,
};
const CAUSES = {
  closed: "lns-port-closed",
  nowhere: "no-route-to-lns",
  prohibited: "no-route-to-lns",
  absent: "lns-not-reached",
};

const ENGINES = xdpMissing() === undefined ? ["loop", "xdp"] : ["loop"];

describe.skipIf(!isRoot)("LNSes that are not reached", () => {
  let site: Site;
  let lac: GatewayProcess | undefined;

  afterEach(async () => {
    await lac?.close();
    site.close();
  });

  it.each(ENGINES)("are told apart by a test of the tunnel, by lockouts and by why: %s", async (engine) => {
    site = createSite();
    site.lac.ip("route", "add", "prohibit", PROHIBITED);
    const gateway = await GatewayProcess.start(site.lac, lacYaml(engine));
    lac = gateway;
    const lacewing = async (...words: string[]): Promise<string> => {
      const command = new CommandProcess(site.lac, [...words, "--socket", gateway.socket]);
      await command.exited;
      return command.output;
    };
    await Promise.all(
      Object.entries(REASONS).map(async ([name, reason]) =>
        // lines are broken to fit
        expect((await lacewing("test", "tunnel", "--lns", name)).replaceAll(/\s+/g, " ")).toContain(
          `${name}: ${reason}`,
        ),
      ),
    );
    const lnses = await gateway.show("lns");
    expect(Object.fromEntries(lnses.map(({ peer, reason }) => [peer, reason]))).toEqual(REASONS);
    for (const [name, code] of Object.entries(CAUSES)) {
      const { tunnel } = gateway.log().find(({ msg, peer }) => msg.includes("SCCRQ sent") && peer === name)!;
      const story = JSON.parse(await lacewing("why", String(tunnel), "--json"));
      expect(story.likely.map((each: { code: string }) => each.code)).toEqual([code]);
    }
    // SCCRQ three times to two of them
    expect(await gateway.counter("drops.send-failed")).toBe(6);
  });
});
