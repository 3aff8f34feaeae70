import { pino } from "pino";
import type { Logger } from "../base/logger.ts";
import { printable, printableJson } from "./printable.ts";

/** Where lines go: standard output, or an array in tests. */
export interface LineSink {
  write(text: string): unknown;
}

/** The most talkative first. */
const LEVELS = ["debug", "info", "warn", "error"] as const;

export interface LogOptions {
  readonly level: (typeof LEVELS)[number];
  /** For people: one short line of text instead of JSON. */
  readonly pretty: boolean;
  readonly sink: LineSink;
}

/** A log whose level may be another one later. */
export interface LevelledLogger extends Logger {
  level: string;
}

/** Of two levels, the one that lets more through. */
export function moreTalkative(one: string, other: string): string {
  return LEVELS.find((level) => level === one || level === other) ?? one;
}

/** The log: one line an event. JSON with `level`, `time` (ISO 8601, UTC), the event's fields and `msg`. */
export function createLogger(options: LogOptions): LevelledLogger {
  const { level, pretty, sink } = options;
  return pino(
    {
      level,
      base: null,
      timestamp: timestamps(),
      formatters: { level: (label) => ({ level: label }) },
    },
    pretty
      ? { write: (line: string) => sink.write(prettyLine(line)) }
      : { write: (line: string) => sink.write(printableJson(line)) },
  );
}

/** The time of a line as its JSON; lines of one millisecond share the text. */
function timestamps(): () => string {
  let last = Number.NaN;
  let text = "";
  return () => {
    const now = Date.now();
    if (now !== last) {
      last = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

/** "12:34:56.789 info  session opened  user=alice address=192.0.2.7" of a JSON line. */
function prettyLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(msg)}`;
  const tail = Object.entries(fields).map(([key, value]) => `${key}=${prettyValue(value)}`);
  return `${printable(tail.length === 0 ? head : `${head}  ${tail.join(" ")}`)}\n`;
}

function prettyValue(value: unknown): string {
  if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return String(value);
}
