import { LacewingError } from "../base/errors.ts";

/** A configuration that cannot work. The message is the whole text for its author: a line for each problem. */
export class ConfigError extends LacewingError {
  constructor(message: string, options?: ErrorOptions) {
    super("config", message, options);
  }
}
