import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import type { CommandContext, StoppableGateway } from "../../src/cli/process.ts";
import { runProgram } from "../../src/cli/program.ts";
import { sampleOperations } from "../control/sample-operations.ts";

/** Everything around a command, kept for looking at. */
export class FakeProcess {
  out = "";
  err = "";
  readonly octets = new PassThrough();
  readonly events: string[] = [];
  readonly signals = new EventEmitter();
  readonly operations = sampleOperations();
  readonly context: CommandContext;

  constructor(context: Partial<CommandContext> = {}) {
    this.context = {
      stdout: { write: (text: string) => (this.out += text) },
      stderr: { write: (text: string) => (this.err += text) },
      octets: this.octets,
      env: {},
      signals: this.signals,
      exitNow: (code) => void this.events.push(`exit ${code}`),
      onExit: () => {},
      version: "1.2.3",
      notify: async (state) => this.events.push(state) > 0,
      watchdogIntervalMs: undefined,
      startGateway: async () => this.gateway(),
      dial: async () => true,
      ...context,
    };
  }

  /** Runs a command line and resolves to its exit code. */
  run(...argv: string[]): Promise<number> {
    return runProgram(argv, this.context);
  }

  /** A gateway that says what happens to it. */
  /** What resolves it makes the gateway fail. */
  fail: (reason: string) => void = () => {};
  readonly failure = new Promise<string>((resolve) => {
    this.fail = resolve;
  });

  gateway(): StoppableGateway {
    return {
      failed: this.failure,
      operations: this.operations,
      stop: async (reason) => void this.events.push(`gateway stopped: ${reason}`),
    };
  }
}
