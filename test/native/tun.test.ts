import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type NamespaceFiles, TX_ADDRESS, TX_BODY_OFFSET, TX_MORE, TX_STRIDE } from "../../src/io/addon.ts";
import { addon } from "../../src/io/native.ts";
import {
  addressRecord,
  describeFrames,
  ifindexOf,
  ip,
  nativeError,
  openDescriptors,
  pattern,
  receiveFrames,
  root,
  udpOptions,
} from "./support.ts";

const VNET = 10;
const EFAULT = 14;
const EBADFD = 77;

describe.skipIf(!root)("TUN devices", () => {
  const space = `lw-native-tun-${process.pid}`;
  const name = `lwt${process.pid}`;
  // of the benchmarking range (RFC 2544), apart from what other tests beside this one use
  const near = Uint8Array.of(198, 19, process.pid & 0xff, 1);
  const far = Uint8Array.of(198, 19, process.pid & 0xff, 2);
  let opened: number[] = [];

  beforeAll(() => {
    ip("netns", "add", space);
  });
  afterAll(() => {
    ip("netns", "del", space);
  });
  afterEach(() => {
    for (const fd of opened) addon.close(fd);
    opened = [];
  });

  function open(queues: number, vnetHeader = true, segments = false, files?: NamespaceFiles) {
    const device = addon.openTun({ name, queues, vnetHeader, segments, ...(files && { files }) });
    opened.push(...device.fds);
    return device;
  }

  /** In the other namespace. */
  async function openThere(queues: number) {
    const files = await addon.openNamespace({ netnsPath: `/run/netns/${space}`, tuns: queues });
    try {
      return open(queues, true, false, files);
    } finally {
      addon.close(files.netlink);
    }
  }

  /** In our namespace; without an IPv6 address, so that the kernel says nothing by itself. */
  function bringUp(): void {
    ip("link", "set", name, "addrgenmode", "none");
    ip("addr", "add", `${near.join(".")}/30`, "dev", name);
    ip("link", "set", name, "mtu", "1280", "up");
  }

  it("are born in their namespace, down, and go with their last queue", async () => {
    const { fds, ifindex } = await openThere(4);
    expect(fds).toHaveLength(4);
    const [link] = JSON.parse(ip("-n", space, "-j", "-d", "link", "show", name));
    expect(link).toMatchObject({ ifindex, operstate: "DOWN" });
    expect(link.linkinfo.info_data).toMatchObject({ type: "tun", pi: false, vnet_hdr: true });
    expect(link.linkinfo.info_data).toMatchObject({ multi_queue: true, persist: false });
    // we ourselves never were there
    expect(readFileSync("/proc/self/net/dev", "utf8")).not.toContain(name);
    for (const fd of opened.splice(0)) addon.close(fd);
    expect(ip("-n", space, "link")).not.toContain(name);
  });

  it("are not somebody else's that has the name already", () => {
    open(1);
    const before = openDescriptors();
    expect(nativeError(() => open(1))).toMatchObject({
      code: "EBUSY",
      syscall: "TUNSETIFF",
      subject: name,
    });
    expect(openDescriptors()).toBe(before);
  });

  it("carry packets both ways, with the header that offloads would need", () => {
    const { fds, ifindex } = open(1);
    expect(ifindex).toBe(ifindexOf(name));
    const fd = fds[0]!;
    bringUp();
    const region = addon.createRegion(4 << 20);
    const area = region.allocate(1 << 20);
    const receiver = region.tunReceiver(fd, region.allocate(1 << 17), 1 << 17, 2048, 32);
    const socket = addon.openUdp(udpOptions({ address: near, port: 4000 }));
    opened.push(socket);
    const record = addressRecord({ address: far, port: 5000, tos: 0xc0 });
    const payload = pattern(100, 1);
    expect(addon.sendDatagram(socket, record, payload)).toBe(0);
    const [received] = receiveFrames(region, receiver, 1);
    const packet = received!.frame.slice(VNET);
    expect(received!.aux).toBe(VNET + 128);
    expect(packet.slice(28)).toEqual(payload);
    expect([packet[0], packet[1], packet[6]! & 0x40]).toEqual([0x45, 0xc0, 0x40]);
    expect((received!.offset - 32) % 16).toBe(0);
    // sent back with its ends exchanged
    const answer = Uint8Array.of(...received!.frame);
    answer.set(packet.slice(16, 20), VNET + 12);
    answer.set(packet.slice(12, 16), VNET + 16);
    answer.set(packet.slice(22, 24), VNET + 20);
    answer.set(packet.slice(20, 22), VNET + 22);
    answer[VNET + 8] = 64;
    const back = region.udpReceiver(socket, 4, 2048);
    const sent = region.sendTun(fd, describeFrames(region, area, [answer, answer], VNET + 20), 2);
    expect([sent, region.lastErrno]).toEqual([2, 0]);
    expect(receiveFrames(region, back, 2).map(({ frame }) => frame)).toEqual([payload, payload]);
    expect(region.sendTun(fd, describeFrames(region, area, [new Uint8Array(3)]), 1)).toBe(0);
    expect(region.lastErrno).toBe(22);
  });

  it("show what the kernel makes of UDP batches: TOS, no checksum, and fragments of groups that do not fit", () => {
    const { fds } = open(1, false);
    bringUp();
    const region = addon.createRegion(4 << 20);
    const area = region.allocate(1 << 20);
    const receiver = region.tunReceiver(fds[0]!, region.allocate(1 << 17), 1 << 17, 2048, 0);
    const record = addressRecord({ address: far, port: 5000, tos: 0x2e << 2, groupMax: 1500 });
    const socket = addon.openUdp(
      udpOptions({ address: Uint8Array.of(0, 0, 0, 0), checksum: false, df: "clear" }),
    );
    const summed = addon.openUdp(udpOptions({ address: Uint8Array.of(0, 0, 0, 0), df: "clear" }));
    const probing = addon.openUdp(udpOptions({ address: Uint8Array.of(0, 0, 0, 0), df: "probe" }));
    opened.push(socket, summed, probing);
    const small = [pattern(200, 1), pattern(200, 2), pattern(200, 3)];
    const packets = (count: number) => receiveFrames(region, receiver, count).map(({ frame }) => frame);

    expect(region.sendUdp(socket, describeFrames(region, area, small), 3, record)).toBe(3);
    for (const [i, packet] of packets(3).entries()) {
      expect(packet.slice(28)).toEqual(small[i]);
      expect([packet[1], packet[6]! & 0x40, packet[26], packet[27]]).toEqual([0xb8, 0, 0, 0]);
    }
    expect(region.sendUdp(summed, describeFrames(region, area, small), 3, record)).toBe(3);
    for (const packet of packets(3)) {
      expect(packet.length).toBe(228);
      expect(packet[26]! | packet[27]!).not.toBe(0);
    }
    // a group whose segments are fragments: the kernel refuses it, so the datagrams go one by one
    const large = [pattern(1400, 1), pattern(1400, 2)];
    expect(region.sendUdp(summed, describeFrames(region, area, large), 2, record)).toBe(2);
    expect(packets(4).map((packet) => packet[6]! & 0x20)).toEqual([0x20, 0, 0x20, 0]);
    // with DF there are no fragments: the first that does not fit is the caller's to decide about
    const descriptors = describeFrames(region, area, [small[0]!, ...large]);
    expect(descriptors[TX_ADDRESS]).toBe(0);
    expect(region.sendUdp(probing, descriptors, 3, record)).toBe(1);
    expect(region.lastErrno).toBe(90);
    expect(addon.readErrors(probing)[0]).toMatchObject({ code: "EMSGSIZE", info: 1280, address: far });
  });

  it("hand over what is not cut up yet, and take the same", () => {
    const { fds, segmentsUdp } = open(1, true, true);
    bringUp();
    const region = addon.createRegion(4 << 20);
    const area = region.allocate(1 << 20);
    const buffers = region.allocate(1 << 18);
    const receiver = region.tunReceiver(fds[0]!, buffers, 1 << 18, VNET + 65_535, 32);
    const socket = addon.openUdp(udpOptions({ address: near, port: 4000 }));
    opened.push(socket);
    const record = addressRecord({ address: far, port: 5000, groupMax: 1200 });
    const datagrams = [pattern(1000, 1), pattern(1000, 2), pattern(300, 3)];
    expect(region.sendUdp(socket, describeFrames(region, area, datagrams), 3, record)).toBe(3);
    const frames = receiveFrames(region, receiver, segmentsUdp ? 1 : 3).map(({ frame }) => frame);
    // checksums are left to us even where segments are not
    for (const frame of frames) expect([frame[0], frame.length > VNET]).toEqual([1, true]);
    expect(frames.map((frame) => frame[1])).toEqual(segmentsUdp ? [5] : [0, 0, 0]);
    expect(frames.length).toBe(segmentsUdp ? 1 : 3);
    // with its ends exchanged, which no sum depends on, and in pieces: it comes out of the kernel cut up
    for (const frame of frames) {
      frame.copyWithin(VNET + 12, VNET + 16, VNET + 20);
      frame.set(far, VNET + 12);
      frame.set(near, VNET + 16);
      frame.set([5000 >> 8, 5000 & 0xff, 4000 >> 8, 4000 & 0xff], VNET + 20);
    }
    const pieces = frames.flatMap((frame) => [frame.subarray(0, 700), frame.subarray(700)]);
    const descriptors = describeFrames(region, area, pieces, VNET);
    for (let i = 0; i < pieces.length; i += 2) descriptors[i * TX_STRIDE + TX_MORE] = 1;
    const back = region.udpReceiver(socket, 4, 2048);
    expect(region.sendTun(fds[0]!, descriptors, pieces.length)).toBe(pieces.length);
    expect(receiveFrames(region, back, 3).map(({ frame }) => frame)).toEqual(datagrams);
  });

  it("take no packet whose pieces do not end, or are not there, and all before it", () => {
    const { fds } = open(1);
    bringUp();
    const region = addon.createRegion(1 << 20);
    const area = region.allocate(1 << 16);
    const whole = new Uint8Array(VNET + 20);
    whole[VNET] = 0x45;
    const descriptors = describeFrames(region, area, [whole, whole, whole]);
    descriptors[2 * TX_STRIDE + TX_MORE] = 1;
    expect([region.sendTun(fds[0]!, descriptors, 3), region.lastErrno]).toEqual([2, EFAULT]);
    descriptors[TX_STRIDE + TX_MORE] = 1;
    descriptors[2 * TX_STRIDE + TX_BODY_OFFSET] = -1;
    expect([region.sendTun(fds[0]!, descriptors, 3), region.lastErrno]).toEqual([1, EFAULT]);
  });

  it("are read only into what the region has, with room for a packet", async () => {
    const { fds } = await openThere(1);
    const region = addon.createRegion(1 << 20);
    for (const [area, bytes, largest, headroom] of [
      [0, 1 << 21, 2048, 0],
      [1 << 20, 4096, 2048, 0],
      [0, 4096, 4096, 32],
      [-1, 4096, 2048, 0],
      [0, 4096, 2048, -1],
    ] as const)
      expect(() => region.tunReceiver(fds[0]!, area, bytes, largest, headroom)).toThrow(RangeError);
  });

  it("let go of a queue and take it up again", async () => {
    const { fds } = await openThere(2);
    const region = addon.createRegion(1 << 20);
    const receiver = region.tunReceiver(fds[1]!, region.allocate(8192), 8192, 2048, 0);
    addon.setTunQueue(fds[1]!, false);
    expect(receiver.receive(new Int32Array(4), 1)).toBe(0);
    expect(nativeError(() => addon.setTunQueue(fds[1]!, false)).syscall).toBe("TUNSETQUEUE");
    addon.setTunQueue(fds[1]!, true);
    expect(receiver.receive(new Int32Array(4), 1)).toBe(0);
    ip("-n", space, "link", "del", name);
    expect(receiver.receive(new Int32Array(4), 1)).toBe(-EBADFD);
  });

  it("refuse names that are none, and namespaces that are not there", async () => {
    for (const bad of ["", "a".repeat(16), "tun%d", "a/b"])
      expect(() => addon.openTun({ name: bad, queues: 1, vnetHeader: true })).toThrow(RangeError);
    const before = openDescriptors();
    const missing = { code: "ENOENT", syscall: "open", subject: "/run/netns/lw-none" };
    await expect(addon.openNamespace({ netnsPath: missing.subject, tuns: 1 })).rejects.toMatchObject(missing);
    const none = { code: "EINVAL", syscall: "setns", subject: "/etc/passwd" };
    await expect(addon.openNamespace({ netnsPath: none.subject, tuns: 1 })).rejects.toMatchObject(none);
    expect(openDescriptors()).toBe(before);
  });

  it("take the descriptors of another namespace, as many as they have queues, and nobody else's", async () => {
    const before = openDescriptors();
    const files = await addon.openNamespace({ netnsPath: `/run/netns/${space}`, tuns: 2 });
    expect(() => open(1, true, false, files)).toThrow(RangeError);
    expect(() => open(1, true, false, { ...files, tuns: [0] })).toThrow(/EBADF/);
    open(2, true, false, files);
    // a name that somebody has: what was taken is gone all the same
    const again = await addon.openNamespace({ netnsPath: `/run/netns/${space}`, tuns: 1 });
    expect(nativeError(() => open(1, true, false, again)).code).toBe("EBUSY");
    for (const fd of [...opened.splice(0), files.netlink, again.netlink]) addon.close(fd);
    expect(openDescriptors()).toBe(before);
  });
});
