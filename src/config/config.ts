import type { z } from "zod";
import type { accessSchema } from "./access-schema.ts";
import type { ControlFiles } from "./control-checks.ts";
import type { controlSchema } from "./control-schema.ts";
import type { destinationSchema } from "./destination-schema.ts";

export type { SessionLimits } from "./destination-schema.ts";

import type { peerSchema } from "./l2tp-schema.ts";
import type { configSchema } from "./schema.ts";
import type { unitSchema } from "./unit-schema.ts";
import type { userSchema } from "./users-schema.ts";

/**
 * A checked configuration: defaults are filled in, names refer to what is there, secrets are read from their
 * files into `secret`. Nothing in it changes, and none of it shows a secret when it is printed.
 */
export interface Config extends Omit<z.output<typeof configSchema>, "control"> {
  readonly control: ControlConfig;
  /** The users of the users file; none without one. */
  readonly users: readonly UserConfig[];
}

type ControlInFile = z.output<typeof controlSchema>;

/** Where operators' tools ask the gateway. */
interface ControlConfig extends ControlInFile {
  readonly listen: readonly ControlAddress[];
}

/** An address that the HTTP API is spoken on beside the local socket, with what is in its files. */
export type ControlAddress = ControlInFile["listen"][number] & ControlFiles;

/** A PPPoE access interface. */
export type AccessConfig = z.output<typeof accessSchema>;
/** A local address that L2TP is spoken on. */
export type L2tpListenConfig = Config["l2tp"]["listen"][number];
/** An LNS or LAC that we speak with. */
export type L2tpPeerConfig = z.output<typeof peerSchema>;
/** Where a subscriber's PPP goes. */
export type Destination = z.output<typeof destinationSchema>;
/** How a group of terminated subscribers gets devices and addresses. */
export type UnitConfig = z.output<typeof unitSchema>;
/** A local user. */
export type UserConfig = z.output<typeof userSchema>;
