/** Nothing in the program is newer than the oldest kernel that it is for, Linux 5.15: see native/xdp/program.h. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadXdp, withoutXdp } from "./xdp-site.ts";

const OBJECT = fileURLToPath(new URL("../../native/xdp/build/lacewing.bpf.o", import.meta.url));

/** By number, with the first kernel that has them for XDP. */
const HELPERS: Readonly<Record<number, string>> = {
  1: "map_lookup_elem, 3.19",
  8: "get_smp_processor_id, 4.8",

  44: "xdp_adjust_head, 4.10",
  51: "redirect_map, 4.14; its action for what is not there, 5.3",
  65: "xdp_adjust_tail, 4.18",
};

/** BPF_MAP_TYPE_…: ARRAY 3.19, ARRAY_OF_MAPS 4.12, DEVMAP 4.14. */
const MAP_TYPES = [2, 12, 14];
/** BPF_F_RDONLY_PROG 5.2, which the kernel itself sets on device maps; BPF_F_MMAPABLE 5.5. */
const MAP_FLAGS = 0x80 | 0x400;

const INSTRUCTION_BYTES = 8;
const CLASS = 0x07;
const CLASS_LD = 0x00;
const CLASS_LDX = 0x01;
const CLASS_STX = 0x03;
const CLASS_ALU = 0x04;
const CLASS_JMP = 0x05;
const CLASS_JMP32 = 0x06;
const CLASS_ALU64 = 0x07;
const MODE = 0xe0;
const MODE_MEM = 0x60;
const LOAD_64 = 0x18;
const CALL = 0x85;

interface Section {
  readonly name: string;
  readonly octets: Buffer;
  readonly executable: boolean;
}

/** Of a little-endian ELF file of 64 bits. */
function sectionsOf(file: Buffer): readonly Section[] {
  const at = Number(file.readBigUInt64LE(0x28));
  const [size, count, names] = [0x3a, 0x3c, 0x3e].map((offset) => file.readUInt16LE(offset));
  const header = (index: number) => file.subarray(at + index * size!, at + (index + 1) * size!);
  const content = (index: number) => {
    const start = Number(header(index).readBigUInt64LE(0x18));
    return file.subarray(start, start + Number(header(index).readBigUInt64LE(0x20)));
  };
  const texts = content(names!);
  return Array.from({ length: count! }, (_, index) => {
    const name = header(index).readUInt32LE(0);
    return {
      name: texts.toString("latin1", name, texts.indexOf(0, name)),
      octets: content(index),
      executable: (Number(header(index).readBigUInt64LE(8)) & 4) !== 0,
    };
  });
}

interface Instruction {
  readonly code: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
}

function instructionsOf(octets: Buffer): readonly Instruction[] {
  const found: Instruction[] = [];
  for (let at = 0; at < octets.length; at += INSTRUCTION_BYTES) {
    const code = octets[at]!;
    const source = octets[at + 1]! >>> 4;
    found.push({ code, source, offset: octets.readInt16LE(at + 2), immediate: octets.readInt32LE(at + 4) });
    // the second half of its constant has the room of another instruction
    if (code === LOAD_64) at += INSTRUCTION_BYTES;
  }
  return found;
}

/** What of an instruction came after the second version of the instruction set (Linux 4.14). */
function newerThanSecond({ code, source, offset, immediate }: Instruction): string | undefined {
  switch (code & CLASS) {
    case CLASS_LD:
      return code === LOAD_64 ? undefined : "a load from a packet's buffer";
    case CLASS_LDX:
      return (code & MODE) === MODE_MEM ? undefined : "a load with its sign (6.6)";
    case CLASS_STX:
      return (code & MODE) === MODE_MEM || immediate === 0 ? undefined : "an atomic operation (5.12)";
    case CLASS_JMP:
      return code === CALL && source > 1 ? "a function of the kernel's (5.13; for XDP 6.0)" : undefined;
    case CLASS_JMP32:
      return "a jump by 32 bits (5.1)";
    case CLASS_ALU:
    case CLASS_ALU64:
      return offset !== 0 || code === 0xd7 ? "a signed operation or an unconditional swap (6.6)" : undefined;
    default:
      return undefined;
  }
}

describe.skipIf(withoutXdp !== undefined)("the XDP program on the oldest kernel", () => {
  const sections = sectionsOf(readFileSync(OBJECT));
  const code = sections.filter(({ executable, octets }) => executable && octets.length > 0);
  const instructions = code.flatMap(({ octets }) => instructionsOf(octets));

  it("is there to be looked at", () => {
    expect(code.map(({ name }) => name).sort()).toEqual([".text", "xdp"]);
    expect(instructions.length).toBeGreaterThan(1000);
  });

  it("calls no other helpers of the kernel's than these", () => {
    const called = new Set<number>();
    for (const { code, source, immediate } of instructions)
      if (code === CALL && source === 0) called.add(immediate);
    expect([...called].sort((a, b) => a - b)).toEqual(Object.keys(HELPERS).map(Number));
  });

  it("has no instructions that it does not know", () => {
    expect(instructions.map(newerThanSecond).filter((reason) => reason !== undefined)).toEqual([]);
  });

  it("needs no description of the kernel's types", () => {
    const extension = sections.find(({ name }) => name === ".BTF.ext")!.octets;
    const headerBytes = extension.readUInt32LE(4);
    // relocations by type, where the header goes so far
    expect(headerBytes < 32 ? 0 : extension.readUInt32LE(28)).toBe(0);
  });

  it("has maps of kinds that it knows", () => {
    const maps = () =>
      readdirSync("/proc/self/fdinfo").flatMap((fd) => {
        const text = unlessGone(() => readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"));
        const [, type] = /^map_type:\s*(\d+)/m.exec(text) ?? [];
        const [, flags] = /^map_flags:\s*(0x[0-9a-f]+)/m.exec(text) ?? [];
        return type === undefined ? [] : [{ type: Number(type), flags: Number(flags) }];
      });
    const before = maps().length;
    const program = loadXdp();
    const made = maps();
    program.close();
    expect(made.length - before).toBeGreaterThanOrEqual(12);
    for (const { type, flags } of made) {
      expect(MAP_TYPES).toContain(type);
      expect(flags & ~MAP_FLAGS).toBe(0);
    }
  });
});

/** The list itself takes a descriptor. */
function unlessGone(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "";
  }
}
