import { describe, expect, it } from "vitest";
import {
  AXIS_STEPS,
  bitRate,
  count,
  countdown,
  duration,
  perSecond,
  plural,
  size,
} from "../../web/src/text/format.ts";

describe("figures on the page", () => {
  it.each([
    [0, "0 bit/s"],
    [1, "8 bit/s"],
    [124.9, "999 bit/s"],
    [125, "1.00 kbit/s"],
    [1_049_000, "8.39 Mbit/s"],
    [12_490_000, "99.9 Mbit/s"],
    [124_990_000, "1.00 Gbit/s"],
    [1.25e9, "10.0 Gbit/s"],
    [1e18, "8000 Pbit/s"],
  ])("are rates of three digits: %d octets a second", (octets, text) => {
    expect(bitRate(octets)).toBe(text);
  });

  it("are told exactly where an axis has its marks", () => {
    for (const step of AXIS_STEPS)
      for (const marks of [1, 2, 3, 4, 5, 6]) {
        const mark = Number((marks * step).toPrecision(12));
        expect(Number(perSecond(mark).replaceAll(",", "")), `${marks} of ${step}`).toBe(mark);
      }
  });

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [56_789_000, "56.8 MB"],
    [999_600, "1.00 MB"],
  ])("are sizes in decimal units: %d", (octets, text) => {
    expect(size(octets)).toBe(text);
  });

  it.each([
    [0, "0 s"],
    [59.9, "59 s"],
    [60, "1 min 00 s"],
    [3725, "1 h 02 min"],
    [86_400 * 3 + 3600 * 4, "3 d 04 h"],
    [-5, "0 s"],
  ])("are durations of two parts at the most: %d", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it("count down to nothing and not below", () => {
    expect([300, 61.2, 9, 0.1, 0, -3].map(countdown)).toEqual([
      "5:00",
      "1:02",
      "0:09",
      "0:01",
      "0:00",
      "0:00",
    ]);
  });

  it("have their thousands apart, and one of a thing is one", () => {
    expect(count(64_000)).toBe("64,000");
    expect([plural(1, "session"), plural(2, "session"), plural(0, "session")]).toEqual([
      "1 session",
      "2 sessions",
      "0 sessions",
    ]);
    expect([0, 0.5, 9.96, 1234.5].map(perSecond)).toEqual(["0", "0.5", "10.0", "1,235"]);
  });
});
