import { describe, expect, it } from "vitest";
import { Destinations } from "../../src/gateway/destination.ts";
import { World } from "../support/world.ts";

const peers = ["svc", "wholesale", "port", "tagged", "realm"].map(
  (name, i) => `{ name: ${name}, address: 10.0.0.${11 + i} }`,
);
const destinations = new Destinations(
  new World(1).config(`
name: lac
access: [{ interface: acc0 }, { interface: acc1 }]
l2tp: { listen: [{ address: 10.0.0.2 }], peers: [${peers.join(", ")}] }
services: { gold: { lns: svc } }
lines:
  - { interface: acc0, outer-vlans: 100-199, vlans: [7, 20-29], to: { lns: wholesale } }
  - { vlans: 300, to: { lns: tagged } }
  - { interface: acc1, to: { lns: port } }
realms: { isp.example: { lns: realm } }
`),
);

function choose(
  portName: string | undefined,
  vlanIds: readonly number[],
  serviceName?: string,
  user = "u",
): unknown {
  const destination = destinations.choose(user, { portName, vlanIds, serviceName });
  return destination.kind === "lns" ? destination.lns : destination.kind;
}

describe("where a subscriber goes by his access line", () => {
  it("is the first line with his interface and VLANs", () => {
    expect(choose("acc0", [100, 7])).toBe("wholesale");
    expect(choose("acc0", [199, 25])).toBe("wholesale");
    expect(choose("acc0", [100, 8])).toBe("refuse");
    expect(choose("acc0", [200, 7])).toBe("refuse");
    expect(choose("acc1", [100, 7])).toBe("port");
    expect(choose("acc1", [300])).toBe("tagged");
    expect(choose("acc0", [5, 300])).toBe("tagged");
    expect(choose("acc1", [])).toBe("port");
  });

  it("needs two tags where the line has an outer VLAN", () => {
    expect(choose("acc0", [7])).toBe("refuse");
  });

  it("goes behind the Service-Name and before the realm", () => {
    expect(choose("acc1", [], "gold", "u@isp.example")).toBe("svc");
    expect(choose("acc1", [], "", "u@isp.example")).toBe("port");
    expect(choose("acc0", [], "", "u@ISP.example")).toBe("realm");
  });

  it("is not there for who calls by L2TP", () => {
    expect(choose(undefined, [], undefined, "u@isp.example")).toBe("realm");
  });
});

describe("where a subscriber goes whom a LAC brings", () => {
  it("is what the LAC's policy says, before his realm", () => {
    const from = { portName: undefined, vlanIds: [], serviceName: undefined };
    const to = { kind: "lns", lns: "wholesale" } as const;
    expect(destinations.choose("u@isp.example", { ...from, destination: to })).toBe(to);
    expect(destinations.choose("u@isp.example", { ...from, destination: undefined })).toMatchObject({
      lns: "realm",
    });
  });
});
