import { describe, expect, it } from "vitest";
import { openAccessPort } from "../../../src/dataplane/loop/descriptors.ts";
import { DEFAULT_LOOP_OPTIONS } from "../../../src/dataplane/loop/options.ts";
import { type Addon, FANOUT_UNIQUE, type PacketOptions } from "../../../src/io/addon.ts";

const SPEC = { kind: "ethernet", ifindex: 3, name: "acc0", mtuBytes: 1500 } as const;

/** An addon that opens what it is asked for, but for what `refused` names an error. */
function openWith(refused: (options: PacketOptions) => string | undefined) {
  const opened: PacketOptions[] = [];
  const addon = {
    openPacket(options: PacketOptions): number {
      const code = refused(options);
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      return opened.push(options) + 9;
    },
    fanoutGroup: () => 77,
  } as unknown as Addon;
  const fds: number[] = [];
  return { opened, fds, open: () => openAccessPort(addon, 1, SPEC, 4, DEFAULT_LOOP_OPTIONS, fds) };
}

describe("the sockets of an access port", () => {
  it("share its frames and its ring between its lanes", () => {
    const { opened, fds, open } = openWith(() => undefined);
    const { lanes, outlets } = open();
    expect(lanes.map(({ fd }) => fd)).toEqual([10, 11, 12, 13]);
    const receiving = opened.slice(0, 4);
    expect(receiving.map(({ fanout }) => fanout!.group)).toEqual([0, 77, 77, 77]);
    expect(receiving.map(({ fanout }) => (fanout!.mode & FANOUT_UNIQUE) !== 0)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(receiving.map(({ ringSlots }) => ringSlots)).toEqual([4096, 4096, 4096, 4096]);
    expect(fds).toEqual([10, 11, 12, 13, ...outlets[0]!.fds]);
  });

  it("send through others, which receive nothing", () => {
    const { opened, open } = openWith(() => undefined);
    const { outlets } = open();
    expect(outlets.map((outlet) => outlet.fds)).toEqual([[14, 15, 16, 17]]);
    for (const { protocol, ringSlots, fanout, ifindex, bypassQdisc } of opened.slice(4))
      expect({ protocol, ringSlots, fanout, ifindex, bypassQdisc }).toEqual({
        ...{ protocol: 0, ringSlots: 0, fanout: undefined, ifindex: 3, bypassQdisc: true },
      });
  });

  it("are one with all of the ring where the kernel makes no group of them: before 6.13, of an interface that is down", () => {
    const { opened, fds, open } = openWith(({ fanout }) => (fanout === undefined ? undefined : "EINVAL"));
    const { lanes } = open();
    expect(fds).toEqual([10, 11]);
    expect(lanes).toEqual([{ source: { medium: "ethernet", port: 1, packet: opened[0] }, fd: 10, share: 1 }]);
    expect(opened[0]!.ringSlots).toBe(DEFAULT_LOOP_OPTIONS.packetRingSlots);
  });

  it("are not opened when anything else is refused", () => {
    const { fds, open } = openWith(() => "EPERM");
    expect(open).toThrow("EPERM");
    expect(fds).toEqual([]);
  });
});
