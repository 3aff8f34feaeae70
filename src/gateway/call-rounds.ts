import { createHash } from "node:crypto";
import type { Config } from "../config/config.ts";
import type { CallConnection } from "../l2tp/outputs.ts";
import { OPTION_MAGIC } from "../wire/lcp.ts";
import { parseOptions } from "../wire/ppp-control.ts";
import type { IncomingCall } from "./l2tp-carrier.ts";
import type { LnsGroups } from "./lns-groups.ts";

/** Octets of a challenge that nobody draws twice. */
const UNIQUE_CHALLENGE_BYTES = 8;
const MAGIC_NUMBER_BYTES = 4;

/**
 * Calls that we have sent on, by what their ICCN said of the subscriber's PPP. L2TP counts no hops: a call that comes
 * round, through however many switches, is known by the random numbers in it.
 */
export class CallRounds {
  readonly #marks = new Set<string>();
  /** What we call ourselves to peers. */
  #ourNames: ReadonlySet<string> = new Set();

  constructor(config: Pick<Config, "name" | "l2tp">) {
    this.reconfigure(config);
  }

  /** Goes on with other peers; calls that stand are known as before. */
  reconfigure({ name, l2tp }: Pick<Config, "name" | "l2tp">): void {
    this.#ourNames = new Set([name, ...l2tp.peers.map(({ localHostName }) => localHostName ?? name)]);
  }

  /** Why a call must not be sent on to an LNS or a group of them; undefined when it may be. */
  refusal({ call, connection }: IncomingCall, lns: string, lnses: LnsGroups): string | undefined {
    const { hostName } = call.remote() ?? {};
    if (hostName !== undefined && this.#ourNames.has(hostName))
      return `the call has come round: who sent it calls himself ${hostName}, as we do`;
    const mark = markOf(connection);
    if (mark !== undefined && this.#marks.has(mark))
      return "the call has come round: we have sent it on before, and it still stands";
    if (!lnses.leadsElsewhere(lns, call))
      return `${lns} leads back to ${call.peer.name}, from where the call came`;
    return undefined;
  }

  /** The mark to give to delete(); undefined for a call in which nothing is unique. */
  add(connection: CallConnection): string | undefined {
    const mark = markOf(connection);
    if (mark !== undefined) this.#marks.add(mark);
    return mark;
  }

  delete(mark: string): void {
    this.#marks.delete(mark);
  }
}

/** Of the proxy AVPs, all but the password or response. */
function markOf({ proxyLcp, proxyAuth }: CallConnection): string | undefined {
  const challenge = proxyAuth?.challenge ?? NOTHING;
  if (challenge.length < UNIQUE_CHALLENGE_BYTES && !hasMagicNumber(proxyLcp?.lastSent)) return undefined;
  const hash = createHash("sha256");
  for (const part of [proxyLcp?.lastSent, proxyLcp?.lastReceived, proxyAuth?.name, challenge]) {
    const octets = part ?? NOTHING;
    hash.update(`${octets.length}:`).update(octets);
  }
  return hash.digest("base64");
}

const NOTHING = new Uint8Array(0);

function hasMagicNumber(options: Uint8Array | undefined): boolean {
  const parsed = options && parseOptions(options);
  return (
    parsed?.some(({ type, data }) => type === OPTION_MAGIC && data.length === MAGIC_NUMBER_BYTES) ?? false
  );
}
