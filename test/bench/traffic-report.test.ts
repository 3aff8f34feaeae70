import { describe, expect, it } from "vitest";
import {
  deliveredPerSecond,
  faultOf,
  lossPercent,
  outranLac,
  type StreamReport,
  type TrafficReport,
  wasStarved,
} from "../../bench/traffic-report.ts";

const STREAM: StreamReport = {
  sent: 1000,
  received: 1000,
  receivedInTime: 990,
  octets: 64_000,
  lost: 0,
  duplicated: 0,
  reordered: 0,
  damaged: 0,
  misdelivered: 0,
  foreign: 3,
  waits: 2,
  windowTimeouts: 0,
  largestBacklog: 50,
  latencyUs: { p50: 10, p99: 20 },
};

function reportOf(up: Partial<StreamReport>, down?: Partial<StreamReport>): TrafficReport {
  return {
    up: { ...STREAM, ...up },
    ...(down !== undefined && { down: { ...STREAM, ...down } }),
    seconds: 2,
    waitedSeconds: 0.5,
    turns: 100,
    idleTurns: 10,
  };
}

describe("a traffic run", () => {
  it("delivers what came while it lasted, in all directions", () => {
    expect(deliveredPerSecond(reportOf({}))).toBe(495);
    expect(deliveredPerSecond(reportOf({}, { receivedInTime: 10 }))).toBe(500);
  });

  it("loses a share of what both directions sent", () => {
    expect(lossPercent(reportOf({ lost: 1 }))).toBeCloseTo(0.1);
    expect(lossPercent(reportOf({ lost: 1 }, { sent: 3000, lost: 3 }))).toBeCloseTo(0.1);
    expect(lossPercent(reportOf({ sent: 0 }))).toBe(0);
  });

  it("measures the LAC only when the generator had to wait for it", () => {
    expect(outranLac(reportOf({}))).toBe(true);
    expect(outranLac({ ...reportOf({}), idleTurns: 4 })).toBe(false);
  });

  it("says nothing when others had the generator's processor for more than a quarter of it", () => {
    expect(wasStarved(reportOf({}))).toBe(false);
    expect(wasStarved({ ...reportOf({}), waitedSeconds: 0.51 })).toBe(true);
  });

  it("means something when frames were lost, or control messages came", () => {
    expect(faultOf(reportOf({ lost: 500 }, { lost: 1000 }))).toBeUndefined();
  });

  it.each(["damaged", "misdelivered", "duplicated", "reordered"] as const)(
    "means nothing when one frame was %s, in either direction",
    (what) => {
      expect(faultOf(reportOf({ [what]: 1 }))).toContain("1 frames");
      expect(faultOf(reportOf({}, { [what]: 1 }))).toContain("1 frames");
    },
  );

  it("says of the first damaged frame what was wrong, and where", () => {
    const firstDamaged = {
      of: "pattern",
      at: 612,
      octets: 1546,
      expected: "9e3779b1",
      found: "00000000",
    } as const;
    expect(faultOf(reportOf({ damaged: 3, firstDamaged: { ...firstDamaged, frame: "0200" } }))).toBe(
      "3 frames were damaged, the first in its pattern: 00000000 and not 9e3779b1 at octet 612 of 1546",
    );
  });

  it("means nothing when nothing was sent, or less than the rate asks for", () => {
    expect(faultOf(reportOf({ sent: 0 }))).toBe("the generator sent nothing");
    expect(faultOf(reportOf({ sent: 1999 }), 2000)).toBeUndefined();
    expect(faultOf(reportOf({ sent: 1997 }), 2000)).toMatch(/less than it should/);
  });
});
