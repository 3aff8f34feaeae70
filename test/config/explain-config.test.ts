import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ConfigError } from "../../src/config/config-error.ts";
import { explainConfig } from "../../src/config/explain-config.ts";
import { flowText } from "../../src/config/flow-text.ts";
import { ConfigFolder } from "./config-folder.ts";

function explained(yaml: string): Map<string, string> {
  const folder = new ConfigFolder();
  const values = explainConfig(folder.write("gw.yaml", yaml));
  expect(new Set(values.map(({ path }) => path)).size).toBe(values.length);
  return new Map(
    values.map(({ path, value, origin }) => [path, `${value} (${origin.replace(`${folder.path}/`, "")})`]),
  );
}

describe("the explanation of a configuration", () => {
  it("tells of every value what it is and whether the file or the default says so", () => {
    const values = explained(`name: gw
access:
  - interface: eth1
    service-names: [video, ""]
l2tp:
  listen: [{ address: "2001:db8::1" }]
  peers:
    - { name: lns1, address: "2001:db8::11", hello-interval: 30s, secret: not to be seen }
realms: { isp.example: { lns: lns1, idle-timeout: 10m } }
units: { home: { name: "sub%d", address: 100.64.0.1 } }
`);
    expect(Object.fromEntries(values)).toMatchObject({
      name: "gw (gw.yaml:1)",
      "log.level": "info (default)",
      "access[0].interface": "eth1 (gw.yaml:3)",
      "access[0].service-names": '[video, ""] (gw.yaml:4)',
      "access[0].mru": "1492 (default)",
      "l2tp.listen[0].address": "2001:db8::1 (gw.yaml:6)",
      "l2tp.listen[0].port": "1701 (default)",
      "l2tp.peers[0].hello-interval": "30s (gw.yaml:8)",
      "l2tp.peers[0].tunnel-idle-timeout": "60s (default)",
      "l2tp.peers[0].secret": "[secret] (gw.yaml:8)",
      "l2tp.peers[0].switch-avps.other": "relay (default)",
      'realms["isp.example"]': "{ lns: lns1, idle-timeout: 10m } (gw.yaml:9)",
      default: "{ refuse: true } (default)",
      "units.home.mtu": "1492 (default)",
    });
    // nothing says what they are
    expect([...values.keys()].filter((path) => /path-mtu|netns|users-file/.test(path))).toEqual([]);
    expect([...values.values()].join()).not.toContain("not to be seen");
  });

  it("is a ConfigError where the configuration cannot work", () => {
    expect(() => explained("nmae: gw")).toThrow(ConfigError);
  });
});

describe("values in one line", () => {
  it("are YAML that says the same", () => {
    const values = [
      "",
      "a b",
      "10m",
      "0815",
      "true",
      "a: b",
      "x #y",
      "[",
      '"',
      "2001:db8::1",
      7,
      true,
      ["a", "1.5"],
      { "a b": { c: [] } },
      {},
    ];
    for (const value of values) expect(parse(flowText([value]))).toEqual([value]);
  });
});
