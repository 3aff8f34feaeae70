import { describe, expect, it } from "vitest";
import type { StreamReport, TrafficReport } from "../../bench/traffic-report.ts";
import { WidestWindow } from "../../bench/widest-window.ts";

const STREAM: StreamReport = {
  ...{ sent: 1000, received: 1000, receivedInTime: 1000, octets: 0, lost: 0, duplicated: 0, reordered: 0 },
  ...{ damaged: 0, misdelivered: 0, foreign: 0, waits: 0, windowTimeouts: 0, largestBacklog: 0 },
  latencyUs: { p50: 0, p99: 0 },
};

function report(up: Partial<StreamReport>): TrafficReport {
  return { up: { ...STREAM, ...up }, seconds: 1, waitedSeconds: 0, turns: 1, idleTurns: 1 };
}

/** Loses of windows that are wider than it takes. */
class Road {
  readonly tried: number[] = [];
  readonly #takes: number;

  constructor(takes: number) {
    this.#takes = takes;
  }

  send = (window: number): Promise<TrafficReport> => {
    this.tried.push(window);
    return Promise.resolve(report(window > this.#takes ? { lost: 2 } : {}));
  };
}

describe("the widest window that is not lost of", () => {
  it("is tried twice before a narrower one is, and kept for later runs", async () => {
    const road = new Road(256);
    const widest = new WidestWindow();
    const { framesPerSecond, remark } = await widest.measure(road.send);
    expect(framesPerSecond).toBe(1000);
    expect(remark).toBe("256 frames on the way, 0.000 % lost");
    await widest.measure(road.send);
    expect(road.tried).toEqual([1024, 1024, 512, 512, 256, 256]);
  });

  it("is the narrowest there is when all are, with what was lost", async () => {
    const { remark } = await new WidestWindow().measure(new Road(1).send);
    expect(remark).toBe("32 frames on the way, 0.200 % lost");
  });

  it("is no result when frames were damaged", async () => {
    const send = (): Promise<TrafficReport> => Promise.resolve(report({ damaged: 1 }));
    await expect(new WidestWindow().measure(send)).rejects.toThrow(/^1 frames were damaged/);
  });
});
