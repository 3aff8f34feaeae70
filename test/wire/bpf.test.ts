import { describe, expect, it } from "vitest";
import { concatBytes, fromHex } from "../../src/base/bytes.ts";
import { etherTypeFilter, senderProgram, sessionIdProgram } from "../../src/wire/bpf.ts";

/**
 * Runs a program as the kernel would; a load beyond the packet ends it with 0. `protocol`: skb->protocol. The IP header
 * is at the start of `packet`.
 */
function run(program: Uint8Array, packet: Uint8Array, protocol = 0): number {
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  const packetView = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  let accumulator = 0;
  let x = 0;
  for (let at = 0; at < program.length; at += 8) {
    const code = view.getUint16(at, littleEndian);
    const k = view.getUint32(at + 4, littleEndian);
    // SKF_NET_OFF
    const place = k >= 0xfff0_0000 && k < 0xffff_f000 ? k - 0xfff0_0000 : k;
    if (code === 0x06) return k;
    if (code === 0x16) return accumulator;
    if (code === 0x94) accumulator %= k;
    else if (code === 0x28 && k === 0xffff_f000) accumulator = protocol;
    else if (code === 0x28 || code === 0x48) {
      const from = code === 0x48 ? place + x : place;
      if (from + 2 > packet.length) return 0;
      accumulator = packetView.getUint16(from);
    } else if (code === 0x20) {
      if (place + 4 > packet.length) return 0;
      accumulator = packetView.getUint32(place);
    } else if (code === 0xb1) {
      if (place + 1 > packet.length) return 0;
      x = (packet[place]! & 0x0f) * 4;
    } else if (code === 0x07) x = accumulator;
    else if (code === 0xac) accumulator = (accumulator ^ x) >>> 0;
    else if (code === 0x24) accumulator = Math.imul(accumulator, k) >>> 0;
    else if (code === 0x74) accumulator >>>= k;
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

describe("the program that spreads L2TP peers", () => {
  const ipv4 = (source: string, port: string, first = "45", options = "") =>
    fromHex(`${first}00 0000 0000 4000 4011 0000 ${source} c0000201 ${options} ${port} 06a5 0010 0000`);
  const ipv6 = (source: string, port: string) =>
    fromHex(`60000000 0008 11 40 ${source} 20010db8000000000000000000000001 ${port} 06a5 0008 0000`);
  const members = (packets: readonly Uint8Array[], family: 4 | 6) =>
    packets.map((packet) => run(senderProgram(family, 4), packet));
  const octet = (i: number) => i.toString(16).padStart(2, "0");

  it("goes by address and port, and by nothing else", () => {
    const same = members([ipv4("c6336401", "06a5"), ipv4("c6336401", "06a5", "46", "94040000")], 4);
    expect(new Set(same).size).toBe(1);
  });

  it.each([
    ["addresses", 4, (i: number) => ipv4(`c63364${octet(i)}`, "06a5")],
    ["ports", 4, (i: number) => ipv4("c6336401", `c0${octet(i)}`)],
    ["IPv6 addresses", 6, (i: number) => ipv6(`20010db80000000000000000000001${octet(i)}`, "06a5")],
    ["IPv6 networks", 6, (i: number) => ipv6(`20010db800${octet(i)}00000000000000000001`, "06a5")],
    ["IPv6 ports", 6, (i: number) => ipv6("20010db8000000000000000000000101", `c0${octet(i)}`)],
  ] as const)("spreads %s over all members", (_, family, packet) => {
    const chosen = members(
      Array.from({ length: 64 }, (_, i) => packet(i)),
      family,
    );
    for (const member of [0, 1, 2, 3])
      expect(chosen.filter((one) => one === member).length).toBeGreaterThan(8);
  });

  it("gives what is too short to the first", () => {
    for (const family of [4, 6] as const) expect(run(senderProgram(family, 4), fromHex("4500"))).toBe(0);
  });
});
