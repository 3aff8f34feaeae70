import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { concatBytes } from "../../src/base/bytes.ts";
import {
  emitPcapngInterface,
  emitPcapngNothing,
  emitPcapngSection,
  emitPcapngStatistics,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  type PcapngPacket,
  pcapngPacketBytes,
  writePcapngPacket,
} from "../../src/wire/pcapng.ts";
import { PcapngBlocks } from "../../src/wire/pcapng-blocks.ts";
import { readPcapng } from "../support/pcapng.ts";

/** 2026-01-02T03:04:05.678901Z. */
const TIME_US = 1_767_323_045_678_901;

const ECHO = Uint8Array.from(
  Buffer.from("450000200000400040010000c0000201c000020208000000000100010000000000000000", "hex"),
);

function packetBlock(interfaceId: number, packet: PcapngPacket): Uint8Array {
  const block = new Uint8Array(pcapngPacketBytes(packet.frame.length));
  writePcapngPacket(new DataView(block.buffer), 0, interfaceId, packet);
  return block;
}

const raw = { linkType: LINKTYPE_RAW, snapBytes: 65_535, name: "lns" };
const ethernet = {
  linkType: LINKTYPE_ETHERNET,
  snapBytes: 96,
  name: "acc0",
  description: "PPPoE session 7 of 02:00:5e:10:00:01",
  filter: "pppoes",
};

const FILE = concatBytes(
  emitPcapngSection({ application: "Lacewing 1.2.3", system: "Linux", comment: "Sitzung für möglich" }),
  emitPcapngInterface(ethernet),
  emitPcapngInterface(raw),
  packetBlock(1, { timeUs: TIME_US, lengthBytes: ECHO.length, frame: ECHO, direction: "out" }),
  emitPcapngNothing(),
  packetBlock(0, {
    timeUs: TIME_US + 1,
    lengthBytes: 1500,
    frame: new Uint8Array(61).fill(1),
    direction: "in",
  }),
  packetBlock(0, { timeUs: TIME_US + 2, lengthBytes: 0, frame: new Uint8Array(0), direction: undefined }),
  emitPcapngStatistics(0, { startUs: TIME_US, endUs: TIME_US + 9, received: 5_000_000_000, dropped: 3 }),
  emitPcapngStatistics(1, {
    startUs: TIME_US,
    endUs: TIME_US + 9,
    received: 1,
    dropped: 1,
    comment: "its end",
  }),
);

describe("a pcapng file", () => {
  it("has what was written, as a reader of the document finds it", () => {
    expect(readPcapng(FILE)).toEqual({
      application: "Lacewing 1.2.3",
      system: "Linux",
      comment: "Sitzung für möglich",
      interfaces: [ethernet, { ...raw, description: undefined, filter: undefined }],
      packets: [
        { interfaceId: 1, timeUs: TIME_US, lengthBytes: ECHO.length, frame: ECHO, direction: "out" },
        {
          interfaceId: 0,
          timeUs: TIME_US + 1,
          lengthBytes: 1500,
          frame: new Uint8Array(61).fill(1),
          direction: "in",
        },
        {
          interfaceId: 0,
          timeUs: TIME_US + 2,
          lengthBytes: 0,
          frame: new Uint8Array(0),
          direction: undefined,
        },
      ],
      statistics: [
        {
          interfaceId: 0,
          startUs: TIME_US,
          endUs: TIME_US + 9,
          received: 5e9,
          dropped: 3,
          comment: undefined,
        },
        { interfaceId: 1, startUs: TIME_US, endUs: TIME_US + 9, received: 1, dropped: 1, comment: "its end" },
      ],
    });
  });

  it("has whole options, however long a text is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 2000 }), (comment) => {
        const file = emitPcapngSection({ application: "x", comment });
        const read = readPcapng(file).comment ?? "";
        expect(Buffer.from(comment).toString().startsWith(read)).toBe(true);
        expect(read.length).toBeGreaterThanOrEqual(Math.min(comment.length, 250));
      }),
    );
  });

  it("has whole options, however long a filter is", () => {
    const section = emitPcapngSection({ application: "x" });
    const described = { linkType: 1, snapBytes: 64, name: "eth0" };
    for (const bytes of [1023, 70_000]) {
      const filter = "x".repeat(bytes);
      const [spec] = readPcapng(
        concatBytes(section, emitPcapngInterface({ ...described, filter })),
      ).interfaces;
      expect(spec).toMatchObject({ ...described, filter: "x".repeat(1023) });
    }
  });

  it.skipIf(!has("tshark"))("is read by tshark, and by capinfos", () => {
    const folder = mkdtempSync(join(tmpdir(), "lacewing-pcapng-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "a.pcapng");
    writeFileSync(path, FILE);
    const fields = [
      "frame.interface_name",
      "frame.len",
      "frame.cap_len",
      "frame.time_epoch",
      "frame.packet_flags_direction",
      "icmp.type",
    ];
    const rows = run("tshark", "-r", path, "-T", "fields", ...fields.flatMap((field) => ["-e", field]));
    expect(rows.trimEnd().split("\n")).toEqual([
      "lns\t36\t36\t1767323045.678901000\t0x00000002\t8",
      "acc0\t1500\t61\t1767323045.678902000\t0x00000001\t",
      "acc0\t0\t0\t1767323045.678903000\t0x00000000",
    ]);
    const about = run("capinfos", path);
    expect(about).toContain("Capture application: Lacewing 1.2.3");
    expect(about).toContain("Sitzung für möglich");
    expect(about).toMatch(/Number of packets: +3/);
  });
});

describe("a capture that passes by", () => {
  it("is cut into whole blocks and counted, wherever it is split", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: FILE.length }), { maxLength: 20 }), (cuts) => {
        const blocks = new PcapngBlocks();
        const seen: Uint8Array[] = [];
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), FILE.length]) {
          const whole = blocks.push(FILE.subarray(from, cut))!;
          readable(concatBytes(...seen, whole));
          seen.push(whole);
          from = cut;
        }
        expect(concatBytes(...seen)).toEqual(FILE);
        expect(blocks.tally).toEqual({ packets: 3, octets: 97, dropped: 4, comment: "its end" });
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ["no section", (file: Uint8Array) => file.fill(1, 0, 4)],
    ["a length that is none", (file: Uint8Array) => file.fill(0, 4, 8)],
    ["a length that is huge", (file: Uint8Array) => file.fill(0x44, 4, 8)],
    ["two lengths", (file: Uint8Array) => file.fill(9, file.length - 4)],
  ])("is none of ours with %s", (_, change) => {
    expect(new PcapngBlocks().push(change(FILE.slice()))).toBeUndefined();
  });
});

function readable(file: Uint8Array): void {
  if (file.length > 0) readPcapng(file);
}

function has(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}
