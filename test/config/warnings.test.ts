import { describe, expect, it } from "vitest";
import { loadConfigFile } from "../../src/config/load.ts";
import type { HostMtus } from "../../src/config/mtu-warnings.ts";
import type { HostNamespaces } from "../../src/config/namespace-warnings.ts";
import { checkWarnings, formatWarnings } from "../../src/config/warnings.ts";
import { ConfigFolder } from "./config-folder.ts";

const USERS = "- { name: alice, password: wonderland }\n";

/** The lines that `lacewing check` would say about gw.yaml, without "gw.yaml:" and "warning: ". */
function warnings(yaml: string, host?: HostMtus, users = USERS, namespaces?: HostNamespaces): string[] {
  const folder = new ConfigFolder();
  folder.write("users.yaml", users);
  folder.write("s", "sixteen octets it is");
  const loaded = loadConfigFile(folder.write("gw.yaml", yaml));
  const text = formatWarnings(checkWarnings(loaded, host, namespaces));
  const lines = text === "" ? [] : text.split("\n");
  return lines.map((line) => {
    expect(line).toContain(`${folder.path}/gw.yaml:`);
    return line.replace(`${folder.path}/gw.yaml:`, "").replace(" warning:", "");
  });
}

const LAC = `name: lac
access: [{ interface: eth1 }]
l2tp:
  listen: [{ address: 10.0.0.2 }]
  peers:
    - { name: a, address: 10.0.0.11, secret-file: s }
    - { name: b, address: 10.0.0.12, secret-file: s }
lns-groups: { both: { members: [{ peer: a }, { peer: b }] } }
realms: { isp.example: { lns: both } }
`;

const PTA = `name: pta
access: [{ interface: eth1, max-sessions: 200 }]
default: { terminate: home }
units: { home: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 } }
users-file: users.yaml
`;

function mtus(ofInterface: number | undefined, towards: number | undefined): HostMtus {
  return { ofInterface: () => ofInterface, towards: () => towards };
}

describe("warnings", () => {
  it("are not given of what is well", () => {
    expect(warnings(LAC)).toEqual([]);
    expect(warnings(LAC, mtus(1500, 1600))).toEqual([]);
    expect(warnings(PTA)).toEqual([]);
  });

  it("tell where packets do not fit the access interface, with the tags that its lines have", () => {
    const jumbo = LAC.replace("interface: eth1", "interface: eth1, mru: 1500");
    const text = "access[0]: packets of 1500 octets do not fit the interface";
    expect(warnings(jumbo, mtus(1500, undefined))).toEqual([
      `2:10: ${text}: its MTU is 1500, and would have to be 1508`,
    ]);
    expect(warnings(jumbo, mtus(1508, undefined))).toEqual([]);
    const double = `${jumbo}lines: [{ interface: eth1, outer-vlans: 7, vlans: 9, to: { lns: a } }]\n`;
    expect(warnings(double, mtus(1508, undefined))).toEqual([
      `2:10: ${text} under 2 VLAN tags: its MTU is 1508, and would have to be 1512`,
    ]);
    expect(warnings(double, mtus(undefined, undefined))).toEqual([]);
  });

  it("tell where packets do not fit the path to an LNS", () => {
    const cost = "what is larger goes in two fragments, which costs both ends";
    expect(warnings(LAC, mtus(1500, 1500))).toEqual([
      `6:7: l2tp.peers[0]: packets of 1492 octets need 1532 in L2TP, and the path takes 1500: ${cost}`,
      `7:7: l2tp.peers[1]: packets of 1492 octets need 1532 in L2TP, and the path takes 1500: ${cost}`,
    ]);
    const said = LAC.replace("name: a,", "name: a, path-mtu: 1531, oversize: drop,");
    expect(warnings(said)).toEqual([
      "6:7: l2tp.peers[0]: packets of 1492 octets need 1532 in L2TP, and the path takes 1531: what is larger is dropped (oversize)",
    ]);
  });

  it("tell of a shared device that is larger than any line", () => {
    const shared = PTA.replace('name: "sub%d"', "mode: shared, name: s, mtu: 1500");
    expect(warnings(shared)).toEqual([
      "4:46: units.home.mtu: 1500 is more than any access interface takes (mru 1492): larger packets are refused one by one",
    ]);
  });

  it("tell of realms whose LNSes cannot be called", () => {
    const v6 = LAC.replaceAll("address: 10.0.0.1", 'address: "2001:db8::1').replaceAll(/(::1\d)/g, '$1"');
    const uncallable = "it cannot be called: l2tp.listen has no IPv6 address";
    expect(warnings(v6)).toEqual([
      `6:27: l2tp.peers[0].address: ${uncallable}`,
      `7:27: l2tp.peers[1].address: ${uncallable}`,
      '9:31: realms["isp.example"].lns: no LNS of it can be called: its subscribers are refused',
    ]);
  });

  it("tell of pools and channels that are fewer than the sessions that may be", () => {
    const more = PTA.replace("max-sessions: 200", "max-sessions: 300");
    expect(warnings(more)).toEqual([
      "4:60: units.home.pool: 254 addresses are fewer than the 300 sessions that access.max-sessions allows",
    ]);
    expect(warnings(more.replace("300 }", "300 }, { interface: eth2 }"))).toHaveLength(1);
    const lns = PTA.replace(
      /access: .*/,
      "l2tp: { listen: [{ address: 10.0.0.1 }], peers: [{ name: a, role: lac, secret-file: s, max-sessions: 300 }] }",
    );
    expect(warnings(lns)).toEqual([
      "4:60: units.home.pool: 254 addresses are fewer than the 300 sessions that max-sessions lets the LAC a bring in one tunnel",
    ]);
    expect(warnings(lns.replace("sessions: 300", "sessions: 200"))).toEqual([]);
    expect(
      warnings(lns.replace("max-sessions: 300", "destination: { refuse: true }, max-sessions: 300")),
    ).toEqual([]);
    const lac = LAC.replace("interface: eth1", "interface: eth1, max-sessions: 1000");
    expect(warnings(`${lac}data-plane: { max-channels: 1999 }\n`)).toEqual([
      "2:1: access: 1000 sessions need 2000 channels, and data-plane.max-channels is 1999",
    ]);
    expect(warnings(`${lac}data-plane: { max-channels: 2000 }\n`)).toEqual([]);
  });

  it("tell of peers without a secret, or with one that is easily found", () => {
    expect(warnings(LAC.replace("10.0.0.11, secret-file: s", "10.0.0.11"))).toEqual([
      "6:7: l2tp.peers[0]: there is no secret: whoever can send from its address, or says its name, has a tunnel with us",
    ]);
    expect(warnings(LAC.replace("10.0.0.11, secret-file: s", "10.0.0.11, secret: abc"))).toEqual([
      "6:46: l2tp.peers[0].secret: a secret of 3 octets can be found by trying; 16 or more are better",
    ]);
  });

  it("tell of what stands alone, and of what nobody uses", () => {
    expect(warnings(LAC.replace("{ peer: a }, ", ""))).toEqual([
      "6:7: l2tp.peers[0]: no destination leads to it",
      "8:15: lns-groups.both: there is one member: nobody stands in for it",
    ]);
    expect(warnings(LAC.replace("{ lns: both }", "{ lns: a }"))).toEqual([
      "7:7: l2tp.peers[1]: no destination leads to it",
      "8:15: lns-groups.both: no destination leads to it",
    ]);
    expect(warnings(PTA.replace("terminate: home", "refuse: true"))).toEqual([
      "3:1: default: every subscriber is refused: no other destination is there",
      "4:10: units.home: no destination and no user leads to it",
    ]);
    expect(warnings(LAC.replace(/realms.*\n/, "")).at(0)).toMatch(/^1:1: every subscriber is refused/);
  });

  it("tell of units in which nobody can log in, or has no address", () => {
    expect(warnings(PTA, undefined, "[]")).toEqual([
      "4:10: units.home: there are no users: nobody can log in (users-file)",
    ]);
    expect(warnings(PTA.replace(", pool: 100.64.0.0/24", ""))).toEqual([
      "4:10: units.home: there is no pool, and 1 users have no address of their own",
    ]);
  });

  it("tell of lines that an earlier one has already", () => {
    const lines = `${LAC}lines:
  - { interface: eth1, vlans: 100-199, to: { lns: a } }
  - { interface: eth1, vlans: [100, 150-160], to: { lns: b } }
  - { interface: eth1, vlans: 190-200, to: { lns: b } }
`;
    expect(warnings(lines)).toEqual(["12:5: lines[1]: no line is left for it: lines[0] has them all"]);
  });

  it("tell where units are to be in a network namespace that is not there, or that the service does not get into", () => {
    const elsewhere = PTA.replace("home: {", "home: { netns: core,");
    const at = "4:25: units.home.netns:";
    const on = (hasNamespace: boolean, hasHelper: boolean): string[] =>
      warnings(elsewhere, undefined, USERS, { has: (name) => hasNamespace && name === "core", hasHelper });
    expect(on(true, true)).toEqual([]);
    expect(on(false, true)).toEqual([`${at} this host has no network namespace core: ip netns add core`]);
    expect(on(true, false)).toEqual([
      `${at} the helper that enters network namespaces for the service does not run (systemctl enable --now lacewing-units.socket); only a gateway with CAP_SYS_ADMIN does without`,
    ]);
    expect(warnings(PTA, undefined, USERS, { has: () => false, hasHelper: false })).toEqual([]);
  });
});
