import type { Instant } from "../../src/base/time.ts";
import type { MachineCall } from "./replaceable.ts";

/** Something that must never be was. */
export interface Violation {
  readonly invariant: string;
  readonly text: string;
}

/**
 * Keeps the first violation. Nothing is thrown: much is noticed inside of promises and handlers of the gateway,
 * which would make something else of it.
 */
export class Referee {
  #first: Violation | undefined;

  get first(): Violation | undefined {
    return this.#first;
  }

  report(invariant: string, text: string): void {
    this.#first ??= { invariant, text };
  }
}

interface Told {
  readonly kind: string;
  readonly tunnel?: number;
  readonly session?: number;
  readonly sessionId?: number;
  readonly sessions?: readonly { readonly session: number }[];
  readonly attempt?: number;
}

/** What is the end of a session or tunnel, by the machine that tells it. */
const ENDS = new Set(["session-down", "tunnel-down", "session-closed", "down"]);
/** What is told of one thing at most once. */
const ONCE = new Set([
  ...ENDS,
  "tunnel-up",
  "call-offered",
  "call-accepted",
  "call-connected",
  "session-requested",
]);

/**
 * A message is acted on once: what a machine of one gateway process tells of a session or tunnel it tells once, and
 * nothing after its end. And no machine leaves its timeout with a deadline that has passed.
 */
export class ToldOnce {
  readonly #name: string;
  readonly #referee: Referee;
  readonly #told = new WeakMap<object, Set<string>>();
  readonly #serials = new WeakMap<object, number>();

  constructor(name: string, referee: Referee) {
    this.#name = name;
    this.#referee = referee;
  }

  called({ kind, machine, method, args, returned }: MachineCall): void {
    if (method === "timeout") {
      const deadline = machine.deadline();
      if (deadline <= (args[0] as Instant))
        this.#referee.report("no deadline lies in the past", `${this.#name}: ${kind} waits for ${deadline}`);
    }
    for (const output of outputsOf(returned)) this.#hear(kind, machine, output);
  }

  #hear(kind: string, machine: object, output: Told): void {
    if (output.kind === "send" || typeof output.kind !== "string") return;
    const told = this.#told.get(machine) ?? new Set<string>();
    this.#told.set(machine, told);
    if (output.kind === "authenticate") {
      if (output.attempt! <= (this.#serials.get(machine) ?? 0))
        this.#referee.report(
          "a message is acted on once",
          `${this.#name}: ${kind} asks for attempt ${output.attempt} again`,
        );
      this.#serials.set(machine, output.attempt!);
    }
    const subject = subjectOf(output);
    // the access concentrator's ids come back after ended(), the others' not within a run
    if (output.kind === "session-requested") for (const end of ENDS) told.delete(`${end} ${subject}`);
    else if (told.has(`ended ${subject}`))
      this.#referee.report(
        "nothing is told after the end",
        `${this.#name}: ${kind} tells ${output.kind} of ${subject}`,
      );
    if (ONCE.has(output.kind)) {
      const key = `${output.kind} ${subject}`;
      if (told.has(key))
        this.#referee.report("a message is acted on once", `${this.#name}: ${kind} tells ${key} again`);
      told.add(key);
      if (output.kind === "session-closed") told.delete(`session-requested ${subject}`);
    }
    if (ENDS.has(output.kind) && output.kind !== "session-closed") told.add(`ended ${subject}`);
    for (const { session } of output.sessions ?? []) told.add(`ended ${output.tunnel}/${session}`);
  }
}

function subjectOf({ tunnel, session, sessionId }: Told): string {
  if (sessionId !== undefined) return String(sessionId);
  return session === undefined ? String(tunnel ?? "the link") : `${tunnel}/${session}`;
}

/** Input methods return outputs, or an object with them. */
function outputsOf(returned: unknown): readonly Told[] {
  if (Array.isArray(returned)) return returned as readonly Told[];
  const { outputs } = (returned ?? {}) as { outputs?: unknown };
  return Array.isArray(outputs) ? (outputs as readonly Told[]) : [];
}
