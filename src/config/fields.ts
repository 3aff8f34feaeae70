import { z } from "zod";
import { Secret } from "../base/secret.ts";
import { formatIpAddress, parseIpAddress, parseIpv4Address } from "../wire/ip-address.ts";
import { type Ipv4Range, parseIpv4Range } from "../wire/ipv4-range.ts";

/*
 * The kinds of values that a configuration is made of. An issue's message is always the phrase for what is
 * allowed ("a whole number from 1 to 65535"); the report puts what was read before it. The same phrase is in the
 * JSON Schema, for docs/configuration.md and for editors, which show it as `errorMessage`.
 */

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number) {
  const allowed = { error: `a whole number from ${min} to ${max}` };
  return z.int(allowed).min(min, allowed).max(max, allowed).meta({ errorMessage: allowed.error });
}

export function flag() {
  return z.boolean({ error: "true or false" }).meta({ errorMessage: "true or false" });
}

/** One of a few words. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  const allowed = words.length === 1 ? words[0] : `one of ${words.join(", ")}`;
  return z.enum(words, { error: allowed }).meta({ errorMessage: allowed });
}

/** Text that matches `pattern`; `allowed` describes it. */
export function text(pattern: RegExp, allowed: string) {
  return z.string({ error: allowed }).regex(pattern, { error: allowed }).meta({ errorMessage: allowed });
}

/** A name of our own for something in the file: of a peer, of a unit group. */
export function label() {
  return text(/^[\w.:@-]{1,64}$/, "a name of 1 to 64 letters, digits and . : @ _ -");
}

/** What an AVP or a tag carries as a name. */
export function protocolName() {
  return text(/^[\x21-\x7e]{1,64}$/, "1 to 64 printable ASCII characters without blanks");
}

/** A network device's name: what Linux takes, dev_valid_name(). */
export function deviceName() {
  return text(
    /^(?!\.{1,2}$)[^\s/:%\p{C}]{1,15}$/u,
    "a device name of at most 15 characters without blanks, /, : and %",
  );
}

export function filePath() {
  return text(/^[^\0]{1,4096}$/, "the path of a file");
}

export function ipv4Address() {
  const allowed = { error: "an IPv4 address" };
  return z
    .string(allowed)
    .refine((address) => parseIpv4Address(address) !== undefined, allowed)
    .meta({ errorMessage: allowed.error, format: "ipv4" });
}

/** Canonical text in the program. */
export function ipAddress() {
  const allowed = { error: "an IPv4 or IPv6 address" };
  return z
    .string(allowed)
    .refine((address) => parseIpAddress(address) !== undefined, allowed)
    .transform((address) => formatIpAddress(parseIpAddress(address) ?? new Uint8Array(4)))
    .meta({ errorMessage: allowed.error });
}

/** One prefix or range, or a list of them. */
export function ipv4Ranges() {
  const allowed = {
    error: "a prefix (100.64.0.0/16), a range (192.0.2.10-192.0.2.99) or a list of them",
  };
  return z
    .union([z.string(), z.array(z.string()).min(1)], allowed)
    .transform((written, context): readonly Ipv4Range[] => {
      const ranges: Ipv4Range[] = [];
      for (const [i, text] of [written].flat().entries()) {
        const range = parseIpv4Range(text);
        if (range !== undefined) ranges.push(range);
        else
          context.addIssue({
            code: "custom",
            path: typeof written === "string" ? [] : [i],
            message: "a prefix (100.64.0.0/16) or a range (192.0.2.10-192.0.2.99)",
          });
      }
      return Object.freeze(ranges);
    })
    .meta({ errorMessage: allowed.error });
}

const DURATION = /^(\d{1,9})(ms|s|m|h)$/;
const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** "500ms", "60s", "5m", "1h": a whole number with its unit. Milliseconds in the program. */
export function duration(min: string, max: string) {
  const allowed = { error: `a duration such as 500ms, 60s, 5m or 1h, from ${min} to ${max}` };
  const least = milliseconds(min);
  const most = milliseconds(max);
  return z
    .string(allowed)
    .refine((value) => {
      const ms = milliseconds(value);
      return ms >= least && ms <= most;
    }, allowed)
    .transform(milliseconds)
    .meta({ errorMessage: allowed.error, pattern: DURATION.source });
}

/** A duration, or "never": Infinity in the program. */
export function durationOrNever(min: string, max: string) {
  const allowed = { error: `a duration such as 500ms, 60s, 5m or 1h, from ${min} to ${max}, or never` };
  return z
    .union([z.literal("never").transform(() => Number.POSITIVE_INFINITY), duration(min, max)], allowed)
    .meta({ errorMessage: allowed.error });
}

/** NaN for what is no duration. */
function milliseconds(value: string): number {
  const match = DURATION.exec(value);
  if (match === null) return Number.NaN;
  return Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS];
}

const OCTETS = /^(\d{1,9})(KiB|MiB|GiB)$/;
const OCTETS_IN = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** "512KiB", "32MiB", "1GiB", or 0, which `zero` says the meaning of. Octets in the program. */
export function memory(min: string, max: string, zero: string) {
  const kinds = "an amount of memory such as 512KiB, 32MiB or 1GiB";
  const allowed = { error: `${kinds}, from ${min} to ${max}, or 0, ${zero}` };
  const least = octets(min);
  const most = octets(max);
  return z
    .union([z.literal(0), z.string().regex(OCTETS)], allowed)
    .transform((written) => (written === 0 ? 0 : octets(written)))
    .refine((value) => value === 0 || (value >= least && value <= most), allowed)
    .meta({ errorMessage: allowed.error });
}

/** NaN for what is no amount of memory. */
function octets(value: string): number {
  const match = OCTETS.exec(value);
  if (match === null) return Number.NaN;
  return Number(match[1]) * OCTETS_IN[match[2] as keyof typeof OCTETS_IN];
}

const BITS_PER_SECOND = { "": 1, k: 1e3, M: 1e6, G: 1e9 } as const;

/** "100M", "1G", "512k": a whole number of bit/s with its unit, powers of ten. NaN for what is none. */
export function bitsPerSecond(value: string): number {
  const match = /^(\d{1,10})([kMG]?)$/.exec(value);
  if (match === null) return Number.NaN;
  return Number(match[1]) * BITS_PER_SECOND[match[2] as keyof typeof BITS_PER_SECOND];
}

/** VLAN ids, both ends included. */
export interface VlanRange {
  readonly first: number;
  readonly last: number;
}

const HIGHEST_VLAN = 4094;

/** 100, "100-199", or a list of them. */
export function vlanRanges() {
  const allowed = { error: `a VLAN id from 1 to ${HIGHEST_VLAN} (100), a range (100-199) or a list of them` };
  const one = z.union([z.number(), z.string()], allowed).transform((written, context): VlanRange => {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(String(written));
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (first >= 1 && first <= last && last <= HIGHEST_VLAN) return Object.freeze({ first, last });
    context.addIssue({ code: "custom", message: allowed.error });
    return z.NEVER;
  });
  return z
    .union([one.transform((range): readonly VlanRange[] => [range]), z.array(one).min(1).readonly()], allowed)
    .transform((ranges): readonly VlanRange[] => Object.freeze([...ranges]))
    .meta({ errorMessage: allowed.error });
}

/** A password or shared secret of 1 to 255 octets. A number must be quoted: 0123 is not "0123". */
export function secret() {
  const allowed = { error: "text of 1 to 255 octets, in quotes if it looks like a number" };
  return z
    .string(allowed)
    .refine((value) => value.length > 0 && Buffer.byteLength(value) <= 255, allowed)
    .transform((value) => new Secret(value))
    .meta({ errorMessage: allowed.error, minLength: 1 });
}

/** A list of one to `most`, without repetition. */
export function listOf<Item extends z.ZodType>(item: Item, allowed: string, most = 256) {
  const whole = { error: `a list of 1 to ${most} ${allowed}, each once` };
  return z
    .array(item, whole)
    .min(1, whole)
    .max(most, whole)
    .refine((items) => new Set(items).size === items.length, whole)
    .readonly()
    .meta({ errorMessage: whole.error, uniqueItems: true });
}

/** A mapping whose keys are the operator's. A Map in the program: user names choose from it, and an object has a prototype. */
export function mapOf<Item extends z.ZodType>(item: Item, allowed: string) {
  return z
    .record(z.string(), item, { error: `a mapping of ${allowed}` })
    .transform((record): ReadonlyMap<string, z.output<Item>> => new Map(Object.entries(record)));
}
