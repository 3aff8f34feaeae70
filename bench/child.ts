import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { namespaceOf, type Place } from "./namespaces.ts";

/** The kernel's clock ticks in /proc (USER_HZ). */
const TICKS_PER_SECOND = 100;
/** Bounds what is kept of a child's output for error messages. */
const KEPT_LINES = 30;

interface Waiter {
  readonly matches: (line: string) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

interface ChildOptions {
  readonly ipc?: boolean;
  readonly processors?: string | undefined;
}

/** A process in one of the namespaces. It dies with this one, however this one ends. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  readonly #lines: string[] = [];
  #waiters: Waiter[] = [];
  /** Why it ended, once it has. */
  #ended: string | undefined;
  readonly #over: Promise<void>;

  /** `ipc`: messages go both ways by process.send(). `processors`: that it may run on, as taskset(1) lists them. */
  constructor(
    name: string,
    place: Place,
    command: readonly string[],
    { ipc = false, processors }: ChildOptions = {},
  ) {
    this.name = name;
    const there = processors === undefined ? [] : ["taskset", "-c", processors];
    const inside = ["--pdeathsig", "KILL", "ip", "netns", "exec", namespaceOf(place), ...there, ...command];
    this.process = spawn("setpriv", inside, {
      stdio: ["ignore", "pipe", "pipe", ...(ipc ? ["ipc" as const] : [])],
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      createInterface({ input: stream! }).on("line", (line) => this.#heard(line));
    this.#over = new Promise((resolve) => {
      const end = (why: string): void => {
        this.#ended ??= `${name} ${why}; its last words:\n  ${this.#lines.join("\n  ")}`;
        for (const waiter of this.#waiters) waiter.reject(new Error(this.#ended));
        this.#waiters = [];
        resolve();
      };
      this.process.once("error", (error) => end(`could not be started: ${error.message}`));
      // "close" comes after the last line of output, "exit" may come before it
      this.process.once("close", (code, signal) => end(`ended with ${signal ?? `exit code ${code}`}`));
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Processor time that all its threads have used so far, the kernel's work in their system calls included. */
  processorSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, "utf8");
    // the second field is the command in parentheses, and may hold blanks
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** The same, to the nanosecond, of the threads that it now has. */
  threadSeconds(): number {
    const threads = readdirSync(`/proc/${this.pid}/task`);
    const ran = threads.map((thread) => {
      const [ns = "0"] = readFileSync(`/proc/${this.pid}/task/${thread}/schedstat`, "utf8").split(" ");
      return Number(ns) / 1e9;
    });
    return ran.reduce((sum, seconds) => sum + seconds, 0);
  }

  /** Throws when it has ended. */
  mustRun(): void {
    if (this.#ended !== undefined) throw new Error(this.#ended);
  }

  /** The newest of its last lines of output in which `words` stand. */
  said(words: string): string | undefined {
    return this.#lines.findLast((line) => line.includes(words));
  }

  /** The next line of output that `matches`; rejects when the process ends before it, or after `timeoutMs`. */
  nextLine(matches: (line: string) => boolean, timeoutMs: number): Promise<string> {
    return this.#wait(matches, timeoutMs, "a line of output");
  }

  /** Sends a message, if there is one, and resolves with the next that comes back. */
  ask<Answer>(request: object | undefined, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const answered = (answer: unknown): void => {
        abandon();
        resolve(answer as Answer);
      };
      const abandon = (): void => {
        this.process.off("message", answered);
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        clearTimeout(timer);
      };
      const fail = (error: Error): void => {
        abandon();
        reject(error);
      };
      const timer = setTimeout(() => fail(this.#silent("an answer", timeoutMs)), timeoutMs);
      const waiter: Waiter = { matches: () => false, resolve: () => {}, reject: fail };
      this.#waiters.push(waiter);
      this.process.once("message", answered);
      if (this.#ended !== undefined) fail(new Error(this.#ended));
      else if (request !== undefined) this.process.send(request);
    });
  }

  /** Ends it with `signal`, and by SIGKILL when it has not ended within `patienceMs`. */
  async stop(signal: NodeJS.Signals = "SIGTERM", patienceMs = 10_000): Promise<void> {
    if (this.#ended === undefined) this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill("SIGKILL"), patienceMs);
    await this.#over;
    clearTimeout(timer);
  }

  #heard(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    const [met, others] = [
      this.#waiters.filter((waiter) => waiter.matches(line)),
      this.#waiters.filter((waiter) => !waiter.matches(line)),
    ];
    this.#waiters = others;
    for (const waiter of met) waiter.resolve(line);
  }

  #wait(matches: (line: string) => boolean, timeoutMs: number, what: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(new Error(this.#ended));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(this.#silent(what, timeoutMs));
      }, timeoutMs);
      const waiter: Waiter = {
        matches,
        resolve: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  #silent(what: string, timeoutMs: number): Error {
    return new Error(
      `${this.name} did not give ${what} within ${timeoutMs / 1000} s:\n  ${this.#lines.join("\n  ")}`,
    );
  }
}
