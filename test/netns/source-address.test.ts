/** A LAC with several addresses, each of which an LNS knows it by. */

import { afterEach, describe, expect, it } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { createSite, LAC_ADDRESS, LNS_ADDRESS, PASSWORD, type Site } from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const OTHER_ADDRESS = "10.8.0.3";

function lacYaml(listen: readonly string[]): string {
  const peer = (name: string, source: string) =>
    `    - { name: ${name}, address: ${LNS_ADDRESS}, source-address: ${source}, local-host-name: ${name} }\n`;
  return `name: lac
access: [{ interface: acc0, sessions-per-mac: 2 }]
l2tp:
  listen: [${listen.map((address) => `{ address: ${address} }`).join(", ")}]
  peers:
${peer("one", LAC_ADDRESS)}${peer("two", OTHER_ADDRESS)}realms: { one.example: { lns: one }, two.example: { lns: two } }
`;
}

const LNS_YAML = `name: lns
l2tp:
  listen: [{ address: ${LNS_ADDRESS} }]
  peers:
    - { name: one, role: lac, host-name: one, address: ${LAC_ADDRESS} }
    - { name: two, role: lac, host-name: two, address: ${OTHER_ADDRESS} }
default: { terminate: subscribers }
users-file: users.yaml
units: { subscribers: { name: ppp%d, address: 100.64.0.1, pool: 100.64.0.0/24 } }
`;

const USERS = ["one", "two"]
  .map((realm) => `- { name: u@${realm}.example, password: ${PASSWORD} }\n`)
  .join("");

describe.skipIf(!isRoot)("a LAC with two addresses", () => {
  let site: Site | undefined;
  const started: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const each of started.splice(0).toReversed()) await each.close();
    site?.close();
  });

  it.each([
    ["each with its socket", [LAC_ADDRESS, OTHER_ADDRESS]],
    ["of one socket that is bound to none", ["0.0.0.0"]],
  ])("%s, speaks to each peer from the one that is configured, control and data", async (_, listen) => {
    site = createSite();
    site.lac.ip("address", "add", `${OTHER_ADDRESS}/24`, "dev", "core0");
    const lns = await GatewayProcess.start(site.lns, LNS_YAML, { "users.yaml": USERS });
    started.push(lns);
    started.push(await GatewayProcess.start(site.lac, lacYaml(listen)));
    const call = async (user: string): Promise<void> => {
      const { dial } = await DialProcess.online(site!.subscriber, { user, password: PASSWORD });
      started.push({ close: () => dial.kill() });
    };
    await Promise.all([call("u@one.example"), call("u@two.example")]);
    expect(
      (await lns.show("tunnels")).map(({ peer, remoteAddress }) => [peer, remoteAddress]).toSorted(),
    ).toEqual([
      ["one", LAC_ADDRESS],
      ["two", OTHER_ADDRESS],
    ]);
    const sessions = await lns.show("sessions");
    // IPCP has gone through both, from the address that the tunnel's data must come from
    expect(sessions.map(({ state }) => state)).toEqual(["open", "open"]);
    expect(await lns.counter("drops.wrong-source")).toBe(0);
  });
});
