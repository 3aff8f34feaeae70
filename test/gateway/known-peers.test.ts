import { describe, expect, it } from "vitest";
import type { PeerId } from "../../src/channel/dataplane.ts";
import { Node, World } from "../support/world.ts";

const YAML = `
name: lac
l2tp:
  listen: [{ address: 10.0.0.2 }, { address: "2001:db8::2" }]
  peers:
    - { name: lns, address: 10.0.0.11, port: 1702 }
    - { name: lac6, role: lac, address: "2001:db8::9" }
    - { name: anybody, role: lac, host-name: anybody }
`;

describe("configured peers", () => {
  it("are known to the data plane from when their ports open until they close, with a tunnel or without", async () => {
    const node = new Node(new World(1), "10.0.0.2", YAML);
    const { dataplane } = node;
    const known = new Map<PeerId, string>();
    const add = dataplane.addPeer.bind(dataplane);
    const remove = dataplane.removePeer.bind(dataplane);
    dataplane.addPeer = (spec) => {
      const id = add(spec);
      if (spec.kind === "udp") known.set(id, `${spec.address} ${spec.udpPort}`);
      return id;
    };
    dataplane.removePeer = (id) => {
      known.delete(id);
      return remove(id);
    };
    await node.gateway.start();
    expect([...known.values()]).toEqual(["10.0.0.11 1702", "2001:db8::9 1701"]);
    await node.gateway.stop("test");
    expect([...known.values()]).toEqual([]);
  });
});
