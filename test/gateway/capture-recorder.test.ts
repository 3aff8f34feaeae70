import { describe, expect, it } from "vitest";
import { concatBytes } from "../../src/base/bytes.ts";
import { CaptureRecorder } from "../../src/gateway/capture-recorder.ts";
import { PcapngBlocks } from "../../src/wire/pcapng-blocks.ts";
import { readPcapng } from "../support/pcapng.ts";

const LIMITS = { frames: undefined, octets: 1e9 };
const TIME_US = 1.7e15;

function recorder(waiting: () => number = () => 0, names = ["acc0", "lns"]) {
  const written: Uint8Array[] = [];
  const sink = {
    get waitingBytes() {
      return waiting();
    },
    write: (octets: Uint8Array) => void written.push(octets),
    end: () => {},
  };
  const made = new CaptureRecorder(sink, LIMITS, { application: "Lacewing" });
  for (const name of names) made.addInterface({ linkType: 1, snapBytes: 64, name }, TIME_US);
  return { recorder: made, written, read: () => readPcapng(concatBytes(...written)) };
}

function packet(afterUs: number, bytes = 64) {
  return {
    timeUs: TIME_US + afterUs,
    lengthBytes: bytes,
    frame: new Uint8Array(bytes),
    direction: "in" as const,
  };
}

describe("a recorder of captures", () => {
  it("writes the frames of all interfaces in the order of their times, those of one time as they came", () => {
    const { recorder: made, read } = recorder();
    made.take(0, [packet(10), packet(30)]);
    made.take(1, [packet(10), packet(20)]);
    expect(read().packets).toEqual([]);
    made.flush();
    const seen = read().packets.map(({ interfaceId, timeUs }) => [interfaceId, timeUs - TIME_US]);
    expect(seen).toEqual([
      [0, 10],
      [1, 10],
      [1, 20],
      [0, 30],
    ]);
  });

  it("says when it has much, and keeps that in order, too", () => {
    const { recorder: made, read } = recorder();
    made.take(0, [packet(1, 1000), packet(2, 1000)]);
    expect(made.isFull).toBe(false);
    for (let i = 3; i < 300; i++) made.take(0, [packet(i, 1000)]);
    made.take(1, [packet(2)]);
    expect(made.isFull).toBe(true);
    made.flush();
    expect(made.isFull).toBe(false);
    expect(read().packets.map(({ interfaceId }) => interfaceId)).toEqual([0, 0, 1, ...Array(297).fill(0)]);
  });

  it("tells a reader of our own why it ends, without an interface, too", () => {
    for (const names of [[], ["acc0"]]) {
      const { recorder: made, written } = recorder(() => 0, names);
      made.end("the session has ended", TIME_US, []);
      const blocks = new PcapngBlocks();
      expect(blocks.push(concatBytes(...written))).toBeDefined();
      expect(blocks.tally).toMatchObject({ packets: 0, comment: "the session has ended" });
    }
  });

  it("passes over what the reader has no room for, in the middle of a batch, too", () => {
    const { recorder: made, read } = recorder(() => (1 << 22) - 1000);
    made.take(0, [packet(1, 400), packet(2, 400), packet(3, 400)]);
    made.end("over", TIME_US + 9, [5, 0]);
    expect([made.frames, made.passedOver]).toEqual([2, 1]);
    expect(read().statistics).toMatchObject([
      { received: 8, dropped: 6 },
      { received: 0, dropped: 0 },
    ]);
  });
});
