import { expect, it } from "vitest";
import { Node, World } from "../support/world.ts";

const YAML = `
name: pta
access: [{ interface: acc0 }]
default: { terminate: u }
units: { u: { mode: shared, name: u, address: 192.0.2.1, pool: 198.51.100.0/24 } }
`;

it("a gateway that cannot start answers no calls, though links change before it knows", async () => {
  const node = new Node(new World(1), "10.0.0.2", YAML);
  node.dataplane.createUnit = async () => {
    // the device of another group has come
    node.host.announce({ kind: "link", link: node.host.linkByName("acc0")! });
    await new Promise(setImmediate);
    throw new Error("u: route 198.51.100.0/24: errno 17");
  };
  await expect(node.gateway.start()).rejects.toThrow("errno 17");
  expect([node.gateway.lines[0]!.port, node.openFramePorts]).toEqual([undefined, 0]);
});
