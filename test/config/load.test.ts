import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { fromUtf8 } from "../../src/base/bytes.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigFolder } from "./config-folder.ts";

function deployed(name: string): string {
  return readFileSync(new URL(`../../deploy/${name}`, import.meta.url), "utf8");
}

describe("the sample configurations", () => {
  it("make a LAC that calls its LNS for a realm", () => {
    const folder = new ConfigFolder();
    folder.write("lns1.secret", "between us\n");
    const config = folder.load(deployed("lac.yaml"));
    expect(config.access).toEqual([
      {
        interface: "acc0",
        drain: false,
        padoDelayMs: 0,
        padisPerSecond: 20_000,
        padisPerSecondPerMac: 1,
        serviceNames: ["isp", ""],
        anyServiceName: false,
        sessionsPerMac: 1,
        atMacLimit: "replace",
        maxSessions: 65_534,
        authentication: ["chap", "pap"],
        mruBytes: 1492,
      },
    ]);
    const peer = config.l2tp.peers[0]!;
    expect(peer).toMatchObject({
      name: "lns1",
      role: "lns",
      udpPort: 1701,
      helloIntervalMs: 60_000,
      receiveWindow: 128,
      initialRetransmissions: 2,
      replayAuthentication: "never",
      addressControl: true,
      lengthBit: true,
      udpChecksum: true,
      oversize: "fragment",
    });
    expect("pathMtuBytes" in peer).toBe(false);
    expect(fromUtf8(peer.secret!.octets())).toBe("between us");
    expect(config.realms).toEqual(new Map([["isp.example", { kind: "lns", lns: "lns1" }]]));
    expect(config.default).toEqual({ kind: "refuse" });
    expect(config.users).toEqual([]);
  });

  it("make an LNS with devices, addresses and users", () => {
    const folder = new ConfigFolder();
    folder.write("lac1.secret", "between us");
    folder.write("users.yaml", deployed("users.yaml"));
    const config = folder.load(deployed("lns.yaml"));
    expect(config.units.get("subscribers")).toEqual({
      mode: "device",
      name: "sub%d",
      mtuBytes: 1492,
      address: "100.64.0.1",
      pool: [{ first: 0x64400001, last: 0x6440fffe, prefixes: ["100.64.0.0/16"] }],
      dns: ["9.9.9.9", "1.1.1.1"],
      clampMss: true,
      ipv6: false,
    });
    expect(config.users.map((user) => [user.name, user.address])).toEqual([
      ["alice@isp.example", undefined],
      ["bob@isp.example", "100.64.7.7"],
      ["carol", undefined],
    ]);
    expect(fromUtf8(config.users[2]!.password.octets())).toBe("0815");
  });

  it("make a tunnel switch between LACs and the LNSes of realms", () => {
    const folder = new ConfigFolder();
    for (const name of ["lac1", "wholesale", "isp-a", "isp-b"]) folder.write(`${name}.secret`, "between us");
    const config = folder.load(deployed("switch.yaml"));
    const peer = (name: string) => config.l2tp.peers.find((each) => each.name === name)!;
    expect(config.realms.get("a.example")).toEqual({ kind: "lns", lns: "isp-a" });
    expect(peer("wholesale-lac").destination).toEqual({ kind: "lns", lns: "isp-b" });
    expect(peer("isp-a1").switchAvps).toEqual({
      bearerType: "relay",
      callingNumber: "relay",
      calledNumber: "relay",
      subAddress: "relay",
      physicalChannelId: "relay",
      txConnectSpeed: "relay",
      rxConnectSpeed: "relay",
      connectSpeedUpdate: "relay",
      accessLine: "relay",
      proxyLcp: "relay",
      proxyAuthentication: "relay",
      privateGroupId: "relay",
      sequencingRequired: "regenerate",
      other: "relay",
    });
    expect(peer("isp-b").switchAvps).toMatchObject({ physicalChannelId: "drop", other: "drop" });
  });

  it("make a local termination on a shared device", () => {
    const folder = new ConfigFolder();
    folder.write("users.yaml", deployed("users.yaml"));
    const config = folder.load(deployed("pta.yaml"));
    expect(config.default).toEqual({ kind: "terminate", unit: "subscribers" });
    expect(config.units.get("subscribers")?.mode).toBe("shared");
  });
});

describe("a loaded configuration", () => {
  it("needs no more than a name", () => {
    const config = new ConfigFolder().load("name: gw");
    expect(config.control.socket).toBe("/run/lacewing/lacewing.sock");
    expect(config.dataPlane).toEqual({ engine: "loop", workers: 1, maxChannels: 131_072 });
    expect(config.l2tp).toEqual({ listen: [], peers: [], drain: false });
  });

  it("names the engine and the number of its threads, or leaves both to the machine", () => {
    const { dataPlane } = new ConfigFolder().load("name: gw\ndata-plane: { engine: auto, workers: auto }");
    expect(dataPlane).toMatchObject({ engine: "auto", workers: "auto" });
    const load = (text: string) => new ConfigFolder().load(`name: gw\ndata-plane: { ${text} }`);
    expect(load("engine: xdp, workers: 3").dataPlane).toMatchObject({ engine: "xdp", workers: 3 });
    expect(() => load("engine: kernel")).toThrow("one of auto, loop, xdp");
    expect(() => load("workers: some")).toThrow("a whole number from 1 to 64, or auto");
  });

  it("has realms in lower case, and none that an object inherits", () => {
    const { realms } = new ConfigFolder().load("name: gw\nrealms: { ISP.Example: { refuse: true } }");
    expect(realms.get("isp.example")).toEqual({ kind: "refuse" });
    expect(realms.get("constructor")).toBeUndefined();
  });

  it("has addresses in canonical form", () => {
    const { l2tp } = new ConfigFolder().load('name: gw\nl2tp: { listen: [{ address: "2001:DB8:0::1" }] }');
    expect(l2tp.listen[0]?.address).toBe("2001:db8::1");
  });

  it("cannot be changed", () => {
    const config = new ConfigFolder().load("name: gw\naccess: [{ interface: acc0 }]");
    expect(
      Object.isFrozen(config) && Object.isFrozen(config.access) && Object.isFrozen(config.access[0]),
    ).toBe(true);
    expect(Object.isFrozen(config.l2tp.peers)).toBe(true);
  });

  it("prints no secret", () => {
    const folder = new ConfigFolder();
    folder.write("users.yaml", "- { name: alice, password: swordfish }");
    const config = folder.load(
      "name: gw\nusers-file: users.yaml\n" +
        "l2tp: { listen: [{ address: 10.0.0.1 }], peers: [{ name: a, role: lac, secret: swordfish }] }",
    );
    const printed = [
      JSON.stringify(config),
      inspect(config, { depth: 9 }),
      String(config.users[0]?.password),
    ];
    for (const text of printed) expect(text).not.toContain("swordfish");
    for (const text of printed) expect(text).toContain("[secret]");
  });
});

describe("a secret", () => {
  const peer = (secret: string) =>
    `name: gw\nl2tp:\n  listen: [{ address: 10.0.0.1 }]\n  peers:\n    - { name: lac1, role: lac, ${secret} }\n`;

  it("is not taken from a file that others may read", () => {
    const folder = new ConfigFolder();
    folder.write("lac1.secret", "swordfish", 0o640);
    expect(folder.complaints(peer("secret-file: lac1.secret"))).toEqual([
      "lacewing.yaml:5:45: l2tp.peers[0].secret-file: lac1.secret is a secret, but its mode 0640 lets others than its owner at it (chmod 600)",
    ]);
  });

  it("is not taken from a configuration that others may read", () => {
    const folder = new ConfigFolder();
    const path = folder.write("gw.yaml", peer("secret: swordfish"), 0o604);
    expect(() => loadConfig(path)).toThrow(/gw.yaml:5:40: l2tp.peers\[0\].secret: .*mode 0604/);
  });

  it("must be there, be one line, and be no folder", () => {
    const folder = new ConfigFolder();
    folder.write("empty", "\n");
    folder.write("two", "one\ntwo\n");
    for (const [file, reason] of [
      ["empty", "does not have the secret as its only line"],
      ["two", "does not have the secret as its only line"],
      ["missing", "cannot be opened"],
      [".", "is not a regular file"],
    ])
      expect(folder.complaints(peer(`secret-file: ${file}`))[0]).toContain(`secret-file: ${file} ${reason}`);
  });

  it("is read from a users file only when it is private", () => {
    const folder = new ConfigFolder();
    folder.write("users.yaml", "- { name: alice, password: swordfish }", 0o644);
    expect(folder.complaints("name: gw\nusers-file: users.yaml")).toEqual([
      "lacewing.yaml:2:13: users-file: users.yaml has passwords in it, but its mode 0644 lets others than its owner at it (chmod 600)",
    ]);
  });
});

describe("a file that cannot be read", () => {
  it("is named", () => {
    const folder = new ConfigFolder();
    expect(() => loadConfig(`${folder.path}/none.yaml`)).toThrow(/none\.yaml: cannot be opened: ENOENT/);
  });
});
