import { toHex } from "../../src/base/bytes.ts";
import type { Step } from "./target.ts";

/** What a run found, and what gives it again. */
export interface Failure {
  readonly target: string;
  readonly seed: number;
  readonly message: string;
  readonly stack?: string;
  /** The number of the input, or of the episode. */
  readonly frame?: number;
  /** A codec's input, or the steps of an episode; what is not needed for the failure is left out. */
  readonly input: readonly (Uint8Array | Step)[];
}

export function failureOf(target: string, seed: number, error: unknown): Omit<Failure, "input"> {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { target, seed, message, ...(stack !== undefined && { stack }) };
}

/** For people: what failed, with what, and how to see it again. */
export function describeFailure({ target, seed, message, stack, frame, input }: Failure): string {
  const where = frame === undefined ? "" : `, number ${frame}`;
  const lines = [`${target}: ${message}`, `  seed ${seed}${where}`];
  for (const each of input) lines.push(`  ${each instanceof Uint8Array ? toHex(each) : describeStep(each)}`);
  lines.push(`  again: npm run fuzz -- --only '^${target}$' --seed ${seed}`);
  if (stack !== undefined) lines.push(stack.replaceAll(/^/gm, "  "));
  return lines.join("\n");
}

function describeStep({ now, end, act, bytes, numbers }: Step): string {
  return [now, end, act, ...(numbers ?? []), ...(bytes === undefined ? [] : [toHex(bytes)])].join(" ");
}
