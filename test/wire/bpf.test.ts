import { describe, expect, it } from "vitest";
import { concatBytes, fromHex } from "../../src/base/bytes.ts";
import { etherTypeFilter, sessionIdProgram, tunnelIdProgram } from "../../src/wire/bpf.ts";

/** Runs a program as the kernel would; a load beyond the packet ends it with 0. `protocol`: skb->protocol. */
function run(program: Uint8Array, packet: Uint8Array, protocol = 0): number {
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  const packetView = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const code = view.getUint16(at, littleEndian);
    const k = view.getUint32(at + 4, littleEndian);
    if (code === 0x06) return k;
    if (code === 0x16) return accumulator;
    if (code === 0x94) accumulator %= k;
    else if (code === 0x28 && k === 0xffff_f000) accumulator = protocol;
    else if (code === 0x28) {
      if (k + 2 > packet.length) return 0;
      accumulator = packetView.getUint16(k);
    } else if (code === 0x45) at += 8 * ((accumulator & k) !== 0 ? program[at + 2]! : program[at + 3]!);
    else if (code === 0x15) at += 8 * (accumulator === k ? program[at + 2]! : program[at + 3]!);
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

describe("the program that spreads PPPoE sessions", () => {
  const program = sessionIdProgram(0x8864);
  const SESSION = "11 00 1234 0002 c021";

  it.each([
    [0x8864, SESSION],
    [0x8100, `0001 8864 ${SESSION}`],
    [0x88a8, `0001 8864 ${SESSION}`],
    [0x9100, `0001 8100 0002 8864 ${SESSION}`],
  ])("finds the session id when the kernel calls the frame %i and it is %s", (protocol, packet) => {
    expect(run(program, fromHex(packet), protocol)).toBe(0x1234);
  });

  it.each([
    [0x8863, "11 09 1234 0002 c021"],
    [0x0800, SESSION],
    [0x8100, `0001 8863 ${SESSION}`],
    [0x8100, `0001 8100 0002 8100 0003 8864 ${SESSION}`],
    [0x8864, "1100"],
  ])("puts everything else in one place: %i %s", (protocol, packet) => {
    expect(run(program, fromHex(packet), protocol)).toBe(0);
  });
});

describe("the program that spreads L2TP tunnels", () => {
  it.each([
    ["0002 0007 0001 ff03", 7],
    ["0202 0007 0001 0000 ff03", 7],
    ["4002 000c 0008 0001 ff03", 8],
    ["c802 000c 0009 0000 0000 0000", 9],
    ["c802 000c 0000 0000 0000 0000", 0],
  ])("goes by the tunnel id of %s", (message, tunnel) => {
    for (const members of [1, 2, 4, 5])
      expect(run(tunnelIdProgram(members), fromHex(message))).toBe(tunnel % members);
  });

  it("gives what is too short to the first", () => {
    for (const message of ["", "00", "0002 00", "4002 000c 00"])
      expect(run(tunnelIdProgram(4), fromHex(message))).toBe(0);
  });
});
