import type { Writable } from "node:stream";
import { Option } from "commander";
import type { Logger } from "../base/logger.ts";
import type { Config } from "../config/config.ts";
import type { DialOptions } from "../dial/dial-options.ts";
import type { ConfigReading } from "../gateway/gateway-operations.ts";
import type { Operations } from "../gateway/operations.ts";
import type { LineSink } from "./log.ts";

/** Exit codes of the command. */
export const EXIT_OK = 0;
/** It was tried, and did not work. */
export const EXIT_FAILED = 1;
/** The command line or the configuration is wrong. */
export const EXIT_USAGE = 2;

const DEFAULT_SOCKET = "/run/lacewing/lacewing.sock";

/** Which gateway is asked. */
export function socketOption({ env }: Pick<CommandContext, "env">): Option {
  return new Option("--socket <path>", "the gateway's control socket").default(
    env.LACEWING_SOCKET || DEFAULT_SOCKET,
    `$LACEWING_SOCKET, or ${DEFAULT_SOCKET}`,
  );
}

/** What is wrong with the command line beyond what commander sees. */
export class UsageError extends Error {}

/** Standard output or error. */
interface Output extends LineSink {
  readonly isTTY?: boolean | undefined;
  /** Characters in a line of the terminal. */
  readonly columns?: number | undefined;
}

/** Signals that end us or that we ignore; `process`, or an EventEmitter in tests. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

/** What `lacewing run` keeps running. */
export interface StoppableGateway {
  readonly operations: Operations;
  /** Resolves to the reason when the gateway cannot go on. */
  readonly failed: Promise<string>;
  /** Ends every session politely, and resolves when all is closed. */
  stop(reason: string): Promise<void>;
}

/** Everything that the commands need of the process and of the rest of the program. */
export interface CommandContext {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard output again, for octets. */
  readonly octets: Writable;
  /** The environment: NO_COLOR, LACEWING_SOCKET. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: SignalSource;
  /** Ends the process without further ado. */
  readonly exitNow: (code: number) => void;
  /** Has `act` called when the process ends by itself, by exitNow() or by an exception that nobody caught. */
  readonly onExit: (act: () => void) => void;
  readonly version: string;
  /** sd_notify(3); false when nobody wants to know. */
  readonly notify: (state: string) => Promise<boolean>;
  /** How often systemd's watchdog is to be told that we are well; undefined where there is none. */
  readonly watchdogIntervalMs: number | undefined;
  readonly startGateway: (
    config: Config,
    options: { readonly logger: Logger; readonly reading: ConfigReading },
  ) => Promise<StoppableGateway>;
  /** Brings sessions up and keeps them until `signal`; resolves to whether all came up. */
  readonly dial: (
    options: DialOptions,
    surroundings: { readonly write: (text: string) => void; readonly signal: AbortSignal },
  ) => Promise<boolean>;
}
