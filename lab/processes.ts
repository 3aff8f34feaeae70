import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { namespaceOf, type Place } from "./network.ts";

/** A process of the lab inside one of its namespaces. */
export interface LabProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Resolves with the first line of standard output that `matches`; rejects when the process ends before. */
  waitForLine(matches: (line: string) => boolean, timeoutMs: number): Promise<string>;
  /** SIGTERM, and SIGKILL when it has not ended within `patienceMs`. */
  stop(patienceMs?: number): Promise<void>;
}

interface LineWaiter {
  readonly matches: (line: string) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** Bounds what is kept of a process's output for error messages. */
const KEPT_LINES = 40;

/**
 * The arguments of setpriv(1) that run `command` in a namespace: it dies with the lab, however the lab dies. Such a
 * process is started in a group of its own (`detached`): Ctrl-C is for the lab, which ends the others in order.
 */
function inNamespace(place: Place, command: readonly string[]): readonly string[] {
  return ["--pdeathsig", "KILL", "ip", "netns", "exec", namespaceOf(place), ...command];
}

/** Starts `command` in the namespace of `place`. `onExit` is called when it ends without having been stopped. */
export function startIn(
  place: Place,
  name: string,
  command: readonly string[],
  onExit: (message: string) => void,
): LabProcess {
  const child = spawn("setpriv", inNamespace(place, command), {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const lines: string[] = [];
  let waiters: LineWaiter[] = [];
  let stopping = false;
  let exited = false;

  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  };
  createInterface({ input: child.stdout! }).on("line", (line) => {
    keep(line);
    waiters = waiters.filter((waiter) => {
      if (!waiter.matches(line)) return true;
      waiter.resolve(line);
      return false;
    });
  });
  createInterface({ input: child.stderr! }).on("line", keep);

  const ended = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      exited = true;
      const message = `${name} ${why}; its last words:\n  ${lines.join("\n  ")}`;
      for (const waiter of waiters) waiter.reject(new Error(message));
      waiters = [];
      resolve();
      if (!stopping) onExit(message);
    };
    child.once("error", (error) => end(`could not be started: ${error.message}`));
    // "close" comes after the last line of output, "exit" may come before it
    child.once("close", (code, signal) => end(`ended with ${signal ?? `exit code ${code}`}`));
  });

  return {
    name,
    child,
    waitForLine(matches, timeoutMs) {
      const early = lines.find(matches);
      if (early !== undefined) return Promise.resolve(early);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters = waiters.filter((waiter) => waiter !== entry);
          reject(new Error(`${name} did not get ready within ${timeoutMs} ms:\n  ${lines.join("\n  ")}`));
        }, timeoutMs);
        const entry: LineWaiter = {
          matches,
          resolve(line) {
            clearTimeout(timer);
            resolve(line);
          },
          reject(error) {
            clearTimeout(timer);
            reject(error);
          },
        };
        waiters.push(entry);
      });
    },
    async stop(patienceMs = 4000) {
      stopping = true;
      if (exited) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a command in a namespace to its end; rejects with its output when it fails, takes too long or is aborted. */
export function runIn(
  place: Place,
  command: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("setpriv", inNamespace(place, command), {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      signal,
    });
    let output = "";
    let errors = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.stderr.on("data", (data) => {
      errors += data;
    });
    let failure: Error | undefined;
    child.once("error", (error) => {
      failure = error;
      if (child.pid === undefined) reject(error);
    });
    // an aborted one too has ended, and let go of its namespace, when this is over
    child.once("close", (code) => {
      if (failure !== undefined) reject(failure);
      else if (code === 0) resolve(output);
      else reject(new Error(`${command.join(" ")} failed in ${place}: ${(errors || output).trim()}`));
    });
  });
}
