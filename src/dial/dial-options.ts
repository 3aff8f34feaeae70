import type { Secret } from "../base/secret.ts";

/** What the emulated subscriber shall do. */
export interface DialOptions {
  /** The Ethernet interface on which it looks for access concentrators. */
  readonly interface: string;
  /** The user name; with more than one session, `%d` in it is the number of the session, from 1. */
  readonly user: string;
  readonly password: Secret;
  /** Sessions in all. */
  readonly count: number;
  /** Sessions that are begun in a second; undefined: all at once. */
  readonly ratePerSecond?: number;
  /** Sessions that may be coming up at one time; undefined: any number. */
  readonly atOnce?: number;
  /** A network device for each session, one for all of them, or none (sessions carry no IP). */
  readonly device: "each" | "shared" | "none";
  /** The Service-Name to ask for; "" is any. */
  readonly serviceName: string;
  /** The named network namespace that devices are made in. */
  readonly netns?: string;
  /** Report as JSON lines instead of text. */
  readonly json: boolean;
}
