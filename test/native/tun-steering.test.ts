import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { RX_LENGTH, RX_OFFSET, RX_STRIDE } from "../../src/io/addon.ts";
import { addon } from "../../src/io/native.ts";
import { parseIpAddress } from "../../src/wire/ip-address.ts";
import { steeringRefusal } from "./steering.ts";
import { ADDON_PATH, addressRecord, ip, pattern, root, udpOptions } from "./support.ts";

const QUEUES = 4;
const HOSTS = 32;

/** Opens a device with several queues as a process that may do no more than what is named. */
const JOB = `
  const addon = require(process.argv[1]);
  const options = { name: process.argv[2], queues: 4, steering: "destination", vnetHeader: false };
  const { fds, refusal } = addon.openTun(options);
  process.stdout.write(JSON.stringify({ queues: fds.length, refusal }));
`;

describe.skipIf(!root)("the queues of a TUN device", () => {
  const name = `lwq${process.pid}`;
  const net = `198.19.${process.pid & 0xff}`;
  const opened: number[] = [];
  const ours = root && steeringRefusal() === undefined;

  afterEach(() => {
    for (const fd of opened.splice(0)) addon.close(fd);
  });

  function open(steering: "destination" | "source"): readonly number[] {
    const device = addon.openTun({ name, queues: QUEUES, steering, vnetHeader: false });
    opened.push(...device.fds);
    expect([device.fds.length, device.refusal]).toEqual([QUEUES, undefined]);
    ip("link", "set", name, "addrgenmode", "none");
    ip("link", "set", name, "up");
    return device.fds;
  }

  /** Sends a datagram from one address to another. */
  function send(family: 4 | 6, from: string, to: string, sourcePort: number): void {
    const fd = addon.openUdp(
      udpOptions({ family, address: parseIpAddress(from)!, port: sourcePort, freeBind: true }),
    );
    try {
      const record = addressRecord({ address: parseIpAddress(to)!, port: 9 });
      expect(addon.sendDatagram(fd, record, pattern(10, 1))).toBe(0);
    } finally {
      addon.close(fd);
    }
  }

  /** What waits in each queue. */
  function waiting(fds: readonly number[]): Uint8Array[][] {
    const region = addon.createRegion(1 << 20);
    const area = region.allocate(1 << 18);
    return fds.map((fd) => {
      const receiver = region.tunReceiver(fd, area, 1 << 18, 2048, 0);
      const descriptors = new Int32Array(128 * RX_STRIDE);
      const count = receiver.receive(descriptors, 128);
      const packets = Array.from({ length: count }, (_, i) => {
        const offset = descriptors[i * RX_STRIDE + RX_OFFSET]!;
        return region.bytes.slice(offset, offset + descriptors[i * RX_STRIDE + RX_LENGTH]!);
      });
      receiver.close();
      return packets;
    });
  }

  /** For every address at `offset` of the packets, the queues that it was seen in. */
  function queuesOf(
    queues: readonly Uint8Array[][],
    offset: number,
    octets: number,
  ): Map<string, Set<number>> {
    const seen = new Map<string, Set<number>>();
    queues.forEach((packets, queue) => {
      for (const packet of packets) {
        const address = packet.subarray(offset, offset + octets).join(".");
        seen.set(address, (seen.get(address) ?? new Set()).add(queue));
      }
    });
    return seen;
  }

  function expectSpread(seen: ReadonlyMap<string, ReadonlySet<number>>): void {
    expect(seen.size).toBe(HOSTS);
    for (const queues of seen.values()) expect(queues.size).toBe(1);
    expect(new Set([...seen.values()].flatMap((queues) => [...queues])).size).toBe(QUEUES);
  }

  const hosts = Array.from({ length: HOSTS }, (_, i) => i + 2);

  it.skipIf(!ours)(
    "each have all packets to one IPv4 address, whoever sends them, and every queue has some",
    () => {
      const fds = open("destination");
      ip("addr", "add", `${net}.1/24`, "dev", name);
      for (const host of hosts)
        for (const port of [4000, 4001, 4002]) send(4, `${net}.1`, `${net}.${host}`, port);
      const queues = waiting(fds);
      expect(queues.flat()).toHaveLength(3 * HOSTS);
      expectSpread(queuesOf(queues, 16, 4));
    },
  );

  it.skipIf(!ours)("each have all packets from one IPv4 address, when they are to", () => {
    const fds = open("source");
    ip("addr", "add", `${net}.1/24`, "dev", name);
    for (const host of hosts) {
      ip("addr", "add", `${net}.${host}/32`, "dev", name);
      for (const to of [200, 201, 202]) send(4, `${net}.${host}`, `${net}.${to}`, 4000);
    }
    const queues = waiting(fds);
    expect(queues.flat()).toHaveLength(3 * HOSTS);
    expectSpread(queuesOf(queues, 12, 4));
  });

  it.skipIf(!ours)("each have all packets to one IPv6 prefix of 64 bits", () => {
    const fds = open("destination");
    const prefix = `2001:db8:${(process.pid & 0xffff).toString(16)}`;
    ip("addr", "add", `${prefix}::1/48`, "dev", name, "nodad");
    for (const host of hosts)
      for (const interfaceId of [1, 2, 0xffff])
        send(6, `${prefix}::1`, `${prefix}:${host.toString(16)}::${interfaceId.toString(16)}`, 4000);
    // the kernel may have announced itself
    const queues = waiting(fds).map((packets) => packets.filter((packet) => packet[6] === 17));
    expect(queues.flat()).toHaveLength(3 * HOSTS);
    expectSpread(queuesOf(queues, 24, 8));
  });

  // where anybody may load programs, nothing is refused
  const forAll = readFileSync("/proc/sys/kernel/unprivileged_bpf_disabled", "utf8").trim() === "0";
  it.skipIf(forAll)("are one where the kernel lets us load no program, and it says so", () => {
    const bounds = "-all,+net_admin";
    const { stdout, stderr } = spawnSync(
      "setpriv",
      ["--bounding-set", bounds, "--inh-caps", "-all", process.execPath, "-e", JOB, ADDON_PATH, name],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({ queues: 1, refusal: expect.stringContaining("bpf: EPERM") });
  });

  it("are steered by nothing that has no name", () => {
    const options = { name, queues: 2, vnetHeader: false };
    expect(() => addon.openTun({ ...options, steering: "moon" as "flow" })).toThrow(RangeError);
  });
});
