import type { z } from "zod";
import type { configSchema } from "./schema.ts";
import type { UserConfig } from "./users-schema.ts";

/**
 * A checked configuration: defaults are filled in, names refer to what is there, secrets are read from their
 * files into `secret`. Nothing in it changes, and none of it shows a secret when it is printed.
 */
export interface Config extends z.output<typeof configSchema> {
  /** The users of the users file; none without one. */
  readonly users: readonly UserConfig[];
}
