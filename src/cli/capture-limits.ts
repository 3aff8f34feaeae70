/** How the limits of a capture are written. */

import { InvalidArgumentError } from "commander";
import { CAPTURE_BOUNDS, type CaptureLimits } from "../gateway/capture-request.ts";

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};
const SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

export type FramesOrOctets = Partial<Pick<CaptureLimits, "frames" | "octets">>;

/** "1000": frames; "10MB" or "64KiB": octets. Both may be given, one after the other. */
export function parseLimit(text: string, before: FramesOrOctets = {}): FramesOrOctets {
  return /^\d+$/.test(text)
    ? { ...before, frames: within("frames", Number(text)) }
    : { ...before, octets: within("octets", octets(text)) };
}

/** "2MB": octets a second. */
export function parseRate(text: string): number {
  return within("rate", octets(text));
}

export function parseSnap(text: string): number {
  return within("snap", octets(text));
}

/** "90", "90s", "10m", "1h". */
export function parseSeconds(text: string): number {
  const [, digits, unit = ""] = /^(\d+)([smhd]?)$/.exec(text) ?? [];
  return within("seconds", digits === undefined ? Number.NaN : Number(digits) * SECONDS[unit]!);
}

function octets(text: string): number {
  const [, digits, unit = "B"] = /^(\d+(?:\.\d+)?)\s*(?:([kMG]|[KMG]i)?B?)$/.exec(text) ?? [];
  return digits === undefined ? Number.NaN : Math.round(Number(digits) * UNITS[unit]!);
}

function within(name: keyof typeof CAPTURE_BOUNDS, value: number): number {
  const { least, most } = CAPTURE_BOUNDS[name];
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Allowed: ${EXAMPLES[name]}, from ${least} to ${most}.`);
}

const EXAMPLES: Readonly<Record<keyof typeof CAPTURE_BOUNDS, string>> = {
  frames: "frames (1000) or octets (10MB, 64KiB)",
  octets: "frames (1000) or octets (10MB, 64KiB)",
  seconds: "a time (90s, 10m, 1h) in seconds",
  rate: "octets a second (500kB, 2MiB)",
  snap: "octets",
};
