import { serialize } from "node:v8";
import type { Dice } from "../dice.ts";
import { Mutator } from "../mutator.ts";
import { type Sample, samples } from "../sample.ts";
import { ensure } from "../target.ts";

/** Timeouts until a machine that hears nothing must wait for nothing. */
const TIMEOUTS_MAX = 5000;

/** What all machines have. */
interface Waiting {
  deadline(): number;
  timeout(now: number): readonly { readonly kind: string }[];
}

/** Does what is due; a machine that has done so waits for something later, or would be called forever. */
export function timeoutOf<Machine extends Waiting>(
  machine: Machine,
  now: number,
): ReturnType<Machine["timeout"]> {
  const outputs = machine.timeout(now);
  ensure(machine.deadline() > now, "a deadline that is not met");
  return outputs as ReturnType<Machine["timeout"]>;
}

/** Lets the time pass until the machine waits for nothing. */
export function waitOut(machine: Waiting, now: number): void {
  for (let count = 0; machine.deadline() !== Number.POSITIVE_INFINITY; count++) {
    ensure(count < TIMEOUTS_MAX, `waits for something after ${TIMEOUTS_MAX} deadlines`);
    timeoutOf(machine, Math.max(now, machine.deadline()));
  }
}

/** One input is answered with a few outputs, whatever it is. */
export function ensureFew(outputs: readonly unknown[], most: number): void {
  ensure(outputs.length <= most, `${outputs.length} outputs for one input`);
}

/** A snapshot that fits this many octets; it is plain data, or v8 refuses it. */
export function ensureSmall(machine: { snapshot(): unknown }, most: number): void {
  const { length } = serialize(machine.snapshot());
  ensure(length <= most, `a state of ${length} octets, more than ${most}`);
}

/** Mutations of samples as arrays of their own: what a machine keeps must not change under it. */
export function strangers(list: readonly Uint8Array[]): (dice: Dice) => Uint8Array {
  const found: Sample[] = samples(list);
  const mutator = new Mutator(found);
  return (dice) => Uint8Array.from(mutator.next(dice));
}
