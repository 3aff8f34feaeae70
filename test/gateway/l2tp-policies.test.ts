import { describe, expect, it } from "vitest";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { ipv4Packet } from "../support/ipv4-packet.ts";
import {
  Node,
  type Pair,
  SubscriberSide,
  startPair,
  World,
  wireEthernet,
  wireUdp,
} from "../support/world.ts";

let world: World;

const SECRET = "secret: tunnel-secret";

async function start(lacPeer = "", lnsPeer = "", more: readonly [string, string] = ["", ""]): Promise<Pair> {
  world = new World(31);
  return startPair(
    world,
    LAC_YAML.replace(SECRET, `${SECRET}, ${lacPeer}`) + more[0],
    LNS_YAML.replace(SECRET, `${SECRET}, ${lnsPeer}`) + more[1],
    USERS_YAML,
  );
}

/** Datagrams that a gateway sends, as they are sent. */
function watch(node: Node): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  const send = node.onDatagram;
  node.onDatagram = (to, port, datagram) => {
    datagrams.push(datagram);
    send(to, port, datagram);
  };
  return datagrams;
}

const isControl = (datagram: Uint8Array): boolean => (datagram[0]! & 0x80) !== 0;
const isNumbered = (datagram: Uint8Array): boolean => (datagram[0]! & 0x08) !== 0;

/** Gets alice online, and a packet of hers to the LNS and one back; returns whether the data messages have Ns and Nr. */
async function traffic({
  lac,
  lns,
  side,
}: Pair): Promise<{ readonly lac: boolean[]; readonly lns: boolean[] }> {
  const sent = { lac: watch(lac), lns: watch(lns) };
  const alice = side.subscriber(1, "alice@isp.example", "wonderland");
  alice.start();
  expect(await world.until(() => side.online.has(alice), 5000)).toBe(true);
  await world.pass(10);
  side.dataplane.receivePacket(side.units.get(alice)!, ipv4Packet("100.64.0.2", "203.0.113.10"));
  await world.pass(10);
  lns.dataplane.receivePacket(lns.packets[0]!.unit, ipv4Packet("203.0.113.10", "100.64.0.2"));
  await world.pass(10);
  expect(side.packets).toHaveLength(1);
  const numbered = (datagrams: readonly Uint8Array[]) => [
    ...new Set(datagrams.filter((each) => !isControl(each)).map(isNumbered)),
  ];
  return { lac: numbered(sent.lac), lns: numbered(sent.lns) };
}

describe("sequence numbers on data messages", () => {
  it("are not there by default", async () => {
    expect(await traffic(await start())).toEqual({ lac: [false], lns: [false] });
  });

  it("are sent by the LAC that requires them, and by its LNS from the first message on", async () => {
    const numbers = await traffic(await start("sequencing: required"));
    expect(numbers).toEqual({ lac: [true], lns: [true] });
  });

  it("are sent by an LNS whose policy says so, and followed by the LAC", async () => {
    const numbers = await traffic(await start("", "sequencing: always"));
    expect(numbers).toEqual({ lac: [true], lns: [true] });
  });

  it("are not sent by a LAC whose policy is never", async () => {
    const numbers = await traffic(await start("sequencing: never", "sequencing: always"));
    expect(numbers).toEqual({ lac: [false], lns: [true] });
  });

  it("make four octets less of what fits", async () => {
    const asked = async (sequencing: string): Promise<number | undefined> => {
      const pair = await start("", `proxy: renegotiate, oversize: drop, ${sequencing}`);
      const mrus: number[] = [];
      const send = pair.lns.onDatagram;
      pair.lns.onDatagram = (to, port, datagram) => {
        const at = datagram.findIndex((_, i) => datagram[i] === 0xc0 && datagram[i + 1] === 0x21);
        // LCP Configure-Request with an MRU option, which is the first
        if (!isControl(datagram) && at > 0 && datagram[at + 2] === 1 && datagram[at + 6] === 1)
          mrus.push((datagram[at + 8]! << 8) | datagram[at + 9]!);
        send(to, port, datagram);
      };
      const alice = pair.side.subscriber(1, "alice@isp.example", "wonderland");
      alice.start();
      await world.until(() => pair.side.online.has(alice), 10_000);
      return mrus[0];
    };
    expect([await asked("sequencing: follow"), await asked("sequencing: always")]).toEqual([1460, 1456]);
  });
});

describe("DSCP", () => {
  it("of control and data is the peer's, each its own", async () => {
    const values = async (policy: string) => {
      const { lac, side } = await start(policy);
      const seen = { control: new Set<number>(), data: new Set<number>() };
      lac.onTransmission = (transmission) => {
        if (transmission.kind === "datagram")
          seen[isControl(transmission.datagram) ? "control" : "data"].add(transmission.dscp);
      };
      const alice = side.subscriber(1, "alice@isp.example", "wonderland");
      alice.start();
      expect(await world.until(() => side.online.has(alice), 5000)).toBe(true);
      return { control: [...seen.control], data: [...seen.data] };
    };
    expect(await values("port: 1701")).toEqual({ control: [48], data: [0] });
    expect(await values("dscp: 10, control-dscp: 46")).toEqual({ control: [46], data: [10] });
  });
});

describe("a tunnel in which data comes", () => {
  it("needs no HELLO", async () => {
    const count = async (busy: boolean): Promise<number> => {
      const { lac, side } = await start("hello-interval: 60s", "hello-interval: 1h");
      const alice = side.subscriber(1, "alice@isp.example", "wonderland");
      alice.start();
      await world.until(() => side.online.has(alice), 5000);
      if (!busy) alice.hangUp();
      await world.pass(1000);
      const sent = watch(lac);
      // LCP echo of the LNS goes by every 30 s
      await world.pass(55_000 * 2);
      return sent.filter((datagram) => isControl(datagram) && datagram.length > 12).length;
    };
    expect([await count(true), await count(false)]).toEqual([0, 1]);
  });
});

describe("two gateways that are LAC and LNS to each other", () => {
  it("and call each other at once end up with one tunnel, and lose no caller over it", async () => {
    const peer = `role: both, host-name: HOST, address: ADDRESS, tie-breaker: true`;
    world = new World(33);
    const yaml = (name: string, other: string, address: string, otherAddress: string) => `
name: ${name}
access: [{ interface: acc0 }]
l2tp:
  listen: [{ address: ${address} }]
  peers: [{ name: other, ${SECRET}, ${peer.replace("HOST", other).replace("ADDRESS", otherAddress)} }]
realms: { ${name}.example: { terminate: here }, ${other}.example: { lns: other } }
units: { here: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 } }
users-file: users.yaml
`;
    const users = "- { name: u@left.example, password: pw }\n- { name: u@right.example, password: pw }\n";
    const { lac, lns, side } = await startPair(
      world,
      yaml("left", "right", "10.0.0.2", "10.0.0.11"),
      yaml("right", "left", "10.0.0.11", "10.0.0.2"),
      users,
    );
    const otherSide = new SubscriberSide(world);
    wireEthernet(otherSide, lns);
    await otherSide.open();
    const one = side.subscriber(1, "u@right.example", "pw");
    const two = otherSide.subscriber(2, "u@left.example", "pw");
    one.start();
    two.start();
    const both = (): boolean => side.online.has(one) && otherSide.online.has(two);
    expect(await world.until(both, 10_000)).toBe(true);
    await world.pass(1000);
    for (const node of [lac, lns]) {
      const up = node.views.tunnels().filter(({ state }) => state === "established");
      expect(up).toMatchObject([{ sessions: 2 }]);
      expect(node.views.lns()).toMatchObject([{ state: "up", lockedForSeconds: null }]);
      expect(node.views.counters()).not.toHaveProperty("lns.other.refused");
    }
  });
});

describe("a path that turns out to be smaller", () => {
  it("is what later subscribers are offered, unless the size is no path's or the policy has its own", async () => {
    const offered = async (policy: string, ...mtus: readonly number[]): Promise<number | undefined> => {
      const { lns, side } = await start("", `proxy: renegotiate, oversize: drop, ${policy}`);
      const first = side.subscriber(1, "alice@isp.example", "wonderland");
      first.start();
      await world.until(() => side.online.has(first), 10_000);
      for (const mtuBytes of mtus) lns.dataplane.datagramTooBig("10.0.0.2", mtuBytes);
      const second = side.subscriber(2, "alice@isp.example", "wonderland");
      second.start();
      await world.until(() => side.online.has(second), 10_000);
      return side.online.get(second)?.mtuBytes;
    };
    expect(await offered("port: 1701")).toBe(1460);
    expect(await offered("port: 1701", 1400)).toBe(1360);
    expect(await offered("port: 1701", 100, 9000)).toBe(1460);
    expect(await offered("path-mtu: 1480", 1400)).toBe(1440);
  });
});

describe("a LAC and an LNS that speak IPv6", () => {
  it("bring a subscriber online, carry packets both ways, and offer what fits beside the larger header", async () => {
    const world = new World(34);
    const [lacAddress, lnsAddress] = ["2001:db8::2", "2001:db8::11"];
    const v6 = (yaml: string): string =>
      yaml.replaceAll("10.0.0.11", `"${lnsAddress}"`).replaceAll("10.0.0.2", `"${lacAddress}"`);
    const lac = new Node(world, lacAddress, v6(LAC_YAML), USERS_YAML);
    const renegotiating = LNS_YAML.replace(SECRET, `${SECRET}, proxy: renegotiate, oversize: drop`);
    const lns = new Node(world, lnsAddress, v6(renegotiating), USERS_YAML);
    const side = new SubscriberSide(world);
    wireUdp(world, lac, lns);
    wireEthernet(side, lac);
    await side.open();
    for (const node of [lns, lac]) await node.gateway.start();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    expect(await world.until(() => side.online.has(alice), 10_000)).toBe(true);
    await world.pass(10);
    side.dataplane.receivePacket(side.units.get(alice)!, ipv4Packet("100.64.0.2", "203.0.113.10"));
    await world.pass(10);
    lns.dataplane.receivePacket(lns.packets[0]!.unit, ipv4Packet("203.0.113.10", "100.64.0.2"));
    await world.pass(10);
    expect(side.packets).toHaveLength(1);
    // 1500 - 40 (IPv6) - 8 (UDP) - 8 (L2TP with its length) - 4 (FF03 and PPP's protocol)
    expect(side.online.get(alice)?.mtuBytes).toBe(1440);
    expect(lac.views.tunnels()).toMatchObject([{ remoteAddress: lnsAddress, localAddress: lacAddress }]);
  });
});

describe("the reason of an end", () => {
  it("comes to the LAC from the LNS by its RFC 3145 cause, and is in the session's record", async () => {
    const { lac, side } = await start();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 5000);
    alice.hangUp();
    await world.pass(5000);
    expect(lac.records[0]?.reason).toContain("PPP disconnect cause 3 (normal disconnection");
  });
});
