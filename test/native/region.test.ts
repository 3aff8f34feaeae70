import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { addon } from "../../src/io/native.ts";
import { nativeError, receiveFrames, udpOptions } from "./support.ts";
import { boundPort, sendTo } from "./udp-support.ts";

describe("a region", () => {
  it("gives out page-aligned zeroed stretches that do not overlap", () => {
    const region = addon.createRegion(1 << 20);
    const first = region.allocate(100);
    const second = region.allocate(5000);
    expect(first % 4096).toBe(0);
    expect(second).toBeGreaterThanOrEqual(first + 4096);
    expect(region.bytes.subarray(second, second + 5000).every((octet) => octet === 0)).toBe(true);
  });

  it("is one array, the same each time, of which every element can be read and written", () => {
    const region = addon.createRegion(1 << 20);
    expect(region.bytes).toBe(region.bytes);
    expect(region.bytes.length).toBe(1 << 20);
    region.bytes[(1 << 20) - 1] = 7;
    expect(region.bytes.lastIndexOf(7)).toBe((1 << 20) - 1);
  });

  it("refuses what does not fit, and sizes that are none", () => {
    const region = addon.createRegion(1 << 16);
    expect(nativeError(() => region.allocate(1 << 17)).code).toBe("ENOMEM");
    expect(region.allocate(1 << 16)).toBe(0);
    expect(nativeError(() => region.allocate(1)).syscall).toBe("mmap");
    for (const size of [0, -1, 1.5, Number.NaN, 2 ** 40])
      expect(() => addon.createRegion(size)).toThrow(RangeError);
    expect(() => addon.createRegion("1" as unknown as number)).toThrow(TypeError);
  });

  it("shows zeroes where a closed receiver was, and gives its stretch out again", () => {
    const region = addon.createRegion(1 << 20);
    const fd = addon.openUdp(udpOptions());
    const receiver = region.udpReceiver(fd, 4, 2048);
    sendTo(boundPort(fd), Uint8Array.of(1, 2, 3));
    const [received] = receiveFrames(region, receiver, 1);
    expect(region.bytes[received!.offset]).toBe(1);
    receiver.close();
    expect(region.bytes[received!.offset]).toBe(0);
    expect(receiver.receive(new Int32Array(4), 1)).toBeLessThan(0);
    receiver.release();
    receiver.close();
    const again = region.udpReceiver(fd, 4, 2048);
    sendTo(boundPort(fd), Uint8Array.of(4));
    expect(receiveFrames(region, again, 1)[0]!.offset).toBe(received!.offset);
    again.close();
    addon.close(fd);
  });

  it("stays readable through its array after the region itself is gone", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const bytes = (() => {
      const region = addon.createRegion(1 << 20);
      region.bytes.fill(9, region.allocate(4096), 4096);
      return region.bytes;
    })();
    for (let i = 0; i < 5; i++) collect();
    expect(bytes[4095]).toBe(9);
    expect(bytes[(1 << 20) - 1]).toBe(0);
  });
});
