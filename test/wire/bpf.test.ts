import { describe, expect, it } from "vitest";
import { concatBytes, fromHex } from "../../src/base/bytes.ts";
import { etherTypeFilter, firstMemberProgram } from "../../src/wire/bpf.ts";

/** Runs a program as the kernel would; a load beyond the packet ends it with 0. */
function run(program: Uint8Array, packet: Uint8Array): number {
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  const packetView = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const code = view.getUint16(at, littleEndian);
    const k = view.getUint32(at + 4, littleEndian);
    if (code === 0x06) return k;
    if (code === 0x28) {
      if (k + 2 > packet.length) return 0;
      accumulator = packetView.getUint16(k);
    } else if (code === 0x15) at += 8 * (accumulator === k ? program[at + 2]! : program[at + 3]!);
    else throw new Error(`opcode ${code}`);
  }
  throw new Error("fell off the program");
}

describe("the filter of an EtherType", () => {
  const filter = etherTypeFilter(0x8864);
  const frame = (afterMacs: string) =>
    concatBytes(new Uint8Array(12), fromHex(afterMacs), new Uint8Array(46));

  it.each([
    "8864",
    "8100 0001 8864",
    "88a8 0001 8864",
    "9100 0001 8864",
    "88a8 0001 8100 0002 8864",
    "8100 0001 8100 0002 8864",
    "9100 0001 8100 0002 8864",
  ])("takes %s whole", (type) => {
    expect(run(filter, frame(type))).toBeGreaterThan(0xffff);
  });

  it.each([
    "8863",
    "0800",
    "0000 0001 8864",
    "8100 0001 8863",
    "8100 8864 0800",
    "88a8 0001 8100 0002 8863",
    "8100 0001 8100 0002 8100 0003 8864",
  ])("leaves %s", (type) => {
    expect(run(filter, frame(type))).toBe(0);
  });

  it("leaves frames that end too early", () => {
    expect(run(filter, new Uint8Array(13))).toBe(0);
    expect(run(filter, frame("8100 0001 8100").subarray(0, 18))).toBe(0);
  });
});

it("the program of a group of sockets picks the first", () => {
  expect(run(firstMemberProgram(), new Uint8Array(0))).toBe(0);
});
