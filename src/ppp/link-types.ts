/** What a PPP link tells its owner, in either role. */

/** IPv4 may flow. */
export interface Ipv4Up {
  readonly kind: "network-up";
  readonly protocol: "ipv4";
  /** Ours and the peer's, as text. A server that does not tell its own leaves a client without `remoteAddress`. */
  readonly localAddress: string;
  readonly remoteAddress: string | undefined;
  /** Told to the peer (server) or learnt from it (client); at most two. */
  readonly dns: readonly string[];
  /** The largest IP packet that may be sent to the peer: its MRU, within our own limit. */
  readonly mruBytes: number;
}

/** IPv6 may flow, from link-local addresses of these interface identifiers. */
export interface Ipv6Up {
  readonly kind: "network-up";
  readonly protocol: "ipv6";
  /** Eight octets each; all zero when that side told none. */
  readonly localIdentifier: Uint8Array;
  readonly remoteIdentifier: Uint8Array;
  readonly mruBytes: number;
}

export type NetworkProtocol = "ipv4" | "ipv6";

export type LinkOutput =
  /** A PPP frame that begins with the protocol field. */
  | { readonly kind: "send"; readonly frame: Uint8Array }
  | Ipv4Up
  | Ipv6Up
  | { readonly kind: "network-down"; readonly protocol: NetworkProtocol }
  /** The end, told once. A `network-down` of every open protocol has come before. */
  | { readonly kind: "down"; readonly cause: DownCause };

/** Why a link ended. `text` says it to an operator and holds no secret. */
export type DownCause = { readonly text: string } & (
  | { readonly kind: "peer-terminated"; readonly message: string }
  /** By terminate(). */
  | { readonly kind: "terminated" }
  /** `message`: what the server told the client. */
  | { readonly kind: "authentication-failed"; readonly message: string }
  /** The peer did not answer to, or would not hear of, authentication. */
  | { readonly kind: "authentication-timeout"; readonly lastSent: string; readonly times: number }
  | { readonly kind: "authentication-refused" }
  /** Nothing came back that the negotiation could end with. */
  | { readonly kind: "configure-timeout"; readonly lastSent: string; readonly times: number }
  | { readonly kind: "not-converging"; readonly refusals: number }
  | { readonly kind: "echo-timeout"; readonly misses: number }
  | { readonly kind: "loop-detected" }
  /** The peer rejects LCP itself, or an LCP code that nothing works without. */
  | { readonly kind: "rejected" }
  /** No network protocol could be opened, or none is left. */
  | { readonly kind: "no-network" }
  /** What a LAC negotiated for us is not to be lived with, and the policy forbids to negotiate anew. */
  | { readonly kind: "proxy-unfit" }
  /** By linkDown(). */
  | { readonly kind: "lower-layer-down" }
);
