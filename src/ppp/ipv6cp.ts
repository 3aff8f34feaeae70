import { equalBytes } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import { emitIpv6cpOption, INTERFACE_IDENTIFIER_BYTES, parseIpv6cpOption } from "../wire/ipv6cp.ts";
import type { ConfigOption } from "../wire/ppp-control.ts";
import type { Ipv6Up } from "./link-types.ts";
import type { Judgement, NegotiationState, OptionPolicy } from "./negotiation.ts";

const UNSPECIFIED = new Uint8Array(INTERFACE_IDENTIFIER_BYTES);

/** Plain data of IPV6CP in either role. Identifiers are eight octets. */
export interface Ipv6cpState {
  readonly protocol: "ipv6";
  negotiation: NegotiationState;
  /** `network-up` was told and not taken back. */
  up: boolean;
  /** Ours; all zero when the peer does not want to hear of one. */
  local: Uint8Array;
  /** Ours is an address's already: the peer cannot talk us into another. */
  readonly fixed: boolean;
  /** The only one that the peer may have; undefined lets it choose. */
  readonly assigned: Uint8Array | undefined;
  /** The peer's; all zero when it told none. */
  remote: Uint8Array;
}

/** `local` and `assigned`: undefined leaves the choice to us at random or the peer's Nak, and to the peer. */
export function newIpv6cp(
  negotiation: NegotiationState,
  random: RandomSource,
  local: Uint8Array | undefined,
  assigned: Uint8Array | undefined,
): Ipv6cpState {
  return {
    protocol: "ipv6",
    negotiation,
    up: false,
    local: local ?? randomIdentifier(random),
    fixed: local !== undefined,
    assigned,
    remote: UNSPECIFIED,
  };
}

/** IPV6CP (RFC 5072 §4.1): each side names an interface identifier, unlike the other's. */
export class Ipv6cpPolicy implements OptionPolicy {
  readonly name = "IPV6CP";
  readonly #random: RandomSource;
  readonly #state: Ipv6cpState;

  constructor(random: RandomSource, state: Ipv6cpState) {
    this.#random = random;
    this.#state = state;
  }

  reset(): void {
    if (equalBytes(this.#state.local, UNSPECIFIED)) this.#state.local = randomIdentifier(this.#random);
  }

  request(): readonly ConfigOption[] {
    const { local } = this.#state;
    return equalBytes(local, UNSPECIFIED) ? [] : [identifierOption(local)];
  }

  judge(options: readonly ConfigOption[], mayNak: boolean): Judgement {
    const { local, assigned } = this.#state;
    const naks: ConfigOption[] = [];
    const rejects: ConfigOption[] = [];
    for (const raw of options) {
      const option = parseIpv6cpOption(raw);
      const good =
        option.kind === "interface-identifier" &&
        (assigned === undefined
          ? !equalBytes(option.identifier, UNSPECIFIED) && !equalBytes(option.identifier, local)
          : equalBytes(option.identifier, assigned));
      if (good) continue;
      if (option.kind === "unknown" || !mayNak) rejects.push(raw);
      else naks.push(identifierOption(assigned ?? this.#unlikeOurs()));
    }
    if (rejects.length > 0) return { kind: "reject", options: rejects };
    if (options.length === 0 && mayNak) naks.push(identifierOption(assigned ?? this.#unlikeOurs()));
    return naks.length > 0 ? { kind: "nak", options: naks } : { kind: "ack" };
  }

  peerAcked(options: readonly ConfigOption[]): void {
    this.#state.remote = UNSPECIFIED;
    for (const raw of options) {
      const option = parseIpv6cpOption(raw);
      if (option.kind === "interface-identifier") this.#state.remote = option.identifier;
    }
  }

  naked(options: readonly ConfigOption[]): void {
    if (this.#state.fixed) return;
    for (const raw of options) {
      const option = parseIpv6cpOption(raw);
      if (option.kind === "interface-identifier" && !equalBytes(option.identifier, UNSPECIFIED))
        this.#state.local = option.identifier;
    }
  }

  rejected(): void {
    this.#state.local = UNSPECIFIED;
  }

  up(mruBytes: number): Ipv6Up {
    const { local, remote } = this.#state;
    return {
      kind: "network-up",
      protocol: "ipv6",
      localIdentifier: local,
      remoteIdentifier: remote,
      mruBytes,
    };
  }

  #unlikeOurs(): Uint8Array {
    for (;;) {
      const identifier = randomIdentifier(this.#random);
      if (!equalBytes(identifier, this.#state.local)) return identifier;
    }
  }
}

/** RFC 5072 §4.1 (3): random, nonzero, and with the "u" bit clear because it is not universally unique. */
function randomIdentifier(random: RandomSource): Uint8Array {
  const identifier = random.bytes(INTERFACE_IDENTIFIER_BYTES);
  identifier[0] = identifier[0]! & 0xfd;
  identifier[7] = identifier[7]! | 1;
  return identifier;
}

function identifierOption(identifier: Uint8Array): ConfigOption {
  return emitIpv6cpOption({ kind: "interface-identifier", identifier });
}
