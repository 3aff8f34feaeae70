/** What an event is about; no value is ever a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The part of pino's logger that we use: one call is one event is one line. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Says nothing: for tests and tools that have no log. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
