import { describe, expect, it } from "vitest";
import type { Ipv6Up } from "../../src/ppp/link-types.ts";
import { USERS_YAML } from "../support/configurations.ts";
import { startAlone, World } from "../support/world.ts";

const YAML = `
name: pta
access: [{ interface: acc0 }]
default: { terminate: local }
units:
  local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24, ipv6: true }
users-file: users.yaml
`;

let world: World;

/** An online subscriber whose PPP asks for IPv6 as well; what he learns of it, if anything. */
async function online(yaml: string) {
  world = new World(8);
  const { node, side } = await startAlone(world, yaml, USERS_YAML);
  const alice = side.subscriber(1, "alice@isp.example", "wonderland");
  alice.start();
  await world.until(() => side.online.has(alice), 1000);
  await world.pass(10);
  const { pppoeSessionId } = node.views.sessions()[0]!.origin as { pppoeSessionId: number };
  const client = side.takeOver(alice, pppoeSessionId, "alice@isp.example", "wonderland", true);
  await world.pass(100);
  const up = client.outputs.find(
    (output): output is Ipv6Up => output.kind === "network-up" && output.protocol === "ipv6",
  );
  return { node, client, up };
}

/** A PPP frame with an IPv6 packet without payload from fe80::`identifier` to the all-routers group. */
function ipv6Frame(identifier: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + 40);
  frame.set([0x00, 0x57, 0x60]);
  frame.set([59, 255, 0xfe, 0x80], 2 + 6); // no next header, hop limit, source
  frame.set(identifier, 2 + 16);
  frame.set([0xff, 0x02], 2 + 24);
  frame[2 + 39] = 2;
  return frame;
}

describe("IPv6", () => {
  it("is negotiated where its unit group wants it, and packets pass from the address that was agreed on", async () => {
    const { node, client, up } = await online(YAML);
    expect(up).toBeDefined();
    // 100.64.0.1, which is on the device as fe80::6440:1
    expect(up!.remoteIdentifier).toEqual(Uint8Array.of(0, 0, 0, 0, 0x64, 0x40, 0, 1));
    expect(node.views.sessions()).toMatchObject([{ state: "open", address: "100.64.0.2" }]);
    client.send(ipv6Frame(up!.localIdentifier));
    await world.pass(10);
    expect(node.packets.map(({ packet }) => packet.length)).toEqual([40]);
    client.send(ipv6Frame(Uint8Array.of(0xde, 0xad, 0, 0, 0, 0, 0, 1)));
    await world.pass(10);
    expect(node.packets).toHaveLength(1);
    expect(node.views.counters()["drops.wrong-address"]).toBe(1);
  });

  it("is off by default: IPV6CP is Protocol-Rejected, and IPv4 works all the same", async () => {
    const { node, client, up } = await online(YAML.replace(", ipv6: true", ""));
    expect(up).toBeUndefined();
    expect(client.outputs.some((output) => output.kind === "network-up" && output.protocol === "ipv4")).toBe(
      true,
    );
    expect(node.views.sessions()).toMatchObject([{ state: "open" }]);
  });
});
