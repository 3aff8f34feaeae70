import { equalBytes } from "../base/bytes.ts";
import { LacewingError } from "../base/errors.ts";
import { formatIpAddress, parseIpv4Address } from "../wire/ip-address.ts";
import { emitIpcpOption, type IpcpAddressKind, parseIpcpOption } from "../wire/ipcp.ts";
import type { ConfigOption } from "../wire/ppp-control.ts";
import type { Ipv4Up } from "./link-types.ts";
import type { Judgement, NegotiationState, OptionPolicy } from "./negotiation.ts";

const UNSPECIFIED = new Uint8Array(4);

/** Our Naks of one option that the peer has not heeded, after which we do without it. */
const PATIENCE = 3;

/** Plain data of the side that assigns addresses. They are kept as the text that they came as: it is there anyway. */
export interface IpcpServerState {
  readonly role: "server";
  readonly protocol: "ipv4";
  negotiation: NegotiationState;
  /** `network-up` was told and not taken back. */
  up: boolean;
  readonly local: string;
  readonly remote: string;
  /** At most two are told. */
  readonly dns: readonly string[];
  /** How often the peer wished another address for us; whether we still tell ours. */
  localRefusals: number;
  tellLocal: boolean;
}

/** IPCP as the side that assigns: the peer gets `remote` and nothing else, and our DNS servers if it asks. */
export class IpcpServerPolicy implements OptionPolicy {
  readonly name = "IPCP";
  readonly #state: IpcpServerState;

  constructor(state: IpcpServerState) {
    this.#state = state;
  }

  reset(): void {
    this.#state.localRefusals = 0;
    this.#state.tellLocal = true;
  }

  request(): readonly ConfigOption[] {
    return this.#state.tellLocal ? [addressOption("ip-address", octetsOf(this.#state.local))] : [];
  }

  judge(options: readonly ConfigOption[], mayNak: boolean): Judgement {
    const { remote, dns } = this.#state;
    const naks: ConfigOption[] = [];
    const rejects: ConfigOption[] = [];
    let addressSeen = false;
    const assign = (kind: IpcpAddressKind, wished: ConfigOption, address: string | undefined): void => {
      const value = address === undefined ? undefined : octetsOf(address);
      if (value !== undefined && equalBytes(wished.data, value)) return;
      if (value !== undefined && mayNak) naks.push(addressOption(kind, value));
      else rejects.push(wished);
    };
    for (const raw of options) {
      const option = parseIpcpOption(raw);
      const kind = option.kind === "malformed" ? addressKind(raw.type) : option.kind;
      switch (kind) {
        case "ip-address":
          addressSeen = true;
          assign(kind, raw, remote);
          break;
        case "primary-dns":
          assign(kind, raw, dns[0]);
          break;
        case "secondary-dns":
          assign(kind, raw, dns[1]);
          break;
        default:
          // Compression, name servers of Windows, IP-Addresses (deprecated) and what nobody knows
          rejects.push(raw);
      }
    }
    if (rejects.length > 0) return { kind: "reject", options: rejects };
    // RFC 1661 §5.3: an option that we want requested is appended to a Nak. A peer that never asks is configured
    // by hand, or will find that no other address works
    if (!addressSeen && mayNak) naks.push(addressOption("ip-address", octetsOf(remote)));
    return naks.length > 0 ? { kind: "nak", options: naks } : { kind: "ack" };
  }

  peerAcked(): void {
    // What is acknowledged is what we assigned: there is nothing to learn
  }

  naked(options: readonly ConfigOption[]): void {
    if (!options.some((option) => parseIpcpOption(option).kind === "ip-address")) return;
    this.#state.localRefusals += 1;
    if (this.#state.localRefusals >= PATIENCE) this.#state.tellLocal = false;
  }

  rejected(): void {
    this.#state.tellLocal = false;
  }

  up(mruBytes: number): Ipv4Up {
    const { local, remote, dns } = this.#state;
    return {
      kind: "network-up",
      protocol: "ipv4",
      localAddress: local,
      remoteAddress: remote,
      dns: dns.slice(0, 2),
      mruBytes,
    };
  }
}

/** Plain data of the side that is given an address. All addresses are four octets. */
export interface IpcpClientState {
  readonly role: "client";
  readonly protocol: "ipv4";
  negotiation: NegotiationState;
  /** `network-up` was told and not taken back. */
  up: boolean;
  /** 0.0.0.0 until one is assigned. */
  local: Uint8Array;
  askAddress: boolean;
  /** Undefined: the peer does not want to be asked. */
  primaryDns: Uint8Array | undefined;
  secondaryDns: Uint8Array | undefined;
  /** The peer's own, if it told. */
  remote: Uint8Array | undefined;
}

/** IPCP as the side that asks for 0.0.0.0 and takes what it is given. */
export class IpcpClientPolicy implements OptionPolicy {
  readonly name = "IPCP";
  readonly #state: IpcpClientState;

  constructor(state: IpcpClientState) {
    this.#state = state;
  }

  reset(): void {
    const s = this.#state;
    s.local = UNSPECIFIED;
    s.askAddress = true;
    s.primaryDns = UNSPECIFIED;
    s.secondaryDns = UNSPECIFIED;
  }

  request(): readonly ConfigOption[] {
    const s = this.#state;
    const options: ConfigOption[] = [];
    if (s.askAddress) options.push(addressOption("ip-address", s.local));
    if (s.primaryDns !== undefined) options.push(addressOption("primary-dns", s.primaryDns));
    if (s.secondaryDns !== undefined) options.push(addressOption("secondary-dns", s.secondaryDns));
    return options;
  }

  judge(options: readonly ConfigOption[]): Judgement {
    const rejects = options.filter((raw) => {
      const option = parseIpcpOption(raw);
      return option.kind !== "ip-address" || equalBytes(option.address, UNSPECIFIED);
    });
    return rejects.length > 0 ? { kind: "reject", options: rejects } : { kind: "ack" };
  }

  peerAcked(options: readonly ConfigOption[]): void {
    this.#state.remote = undefined;
    for (const raw of options) {
      const option = parseIpcpOption(raw);
      if (option.kind === "ip-address") this.#state.remote = option.address;
    }
  }

  naked(options: readonly ConfigOption[]): void {
    const s = this.#state;
    for (const raw of options) {
      const option = parseIpcpOption(raw);
      if (option.kind === "ip-address") {
        s.askAddress = true;
        s.local = option.address;
      } else if (option.kind === "primary-dns" && s.primaryDns !== undefined) s.primaryDns = option.address;
      else if (option.kind === "secondary-dns" && s.secondaryDns !== undefined)
        s.secondaryDns = option.address;
    }
  }

  rejected(options: readonly ConfigOption[]): void {
    const s = this.#state;
    for (const { type } of options) {
      const kind = addressKind(type);
      if (kind === "ip-address") {
        s.askAddress = false;
        s.local = UNSPECIFIED;
      } else if (kind === "primary-dns") s.primaryDns = undefined;
      else if (kind === "secondary-dns") s.secondaryDns = undefined;
    }
  }

  /** Undefined when the peer acknowledged without ever giving us an address. */
  up(mruBytes: number): Ipv4Up | undefined {
    const { local, remote, primaryDns, secondaryDns } = this.#state;
    if (equalBytes(local, UNSPECIFIED)) return undefined;
    const dns = [primaryDns, secondaryDns].filter(
      (server) => server !== undefined && !equalBytes(server, UNSPECIFIED),
    ) as Uint8Array[];
    return {
      kind: "network-up",
      protocol: "ipv4",
      localAddress: formatIpAddress(local),
      remoteAddress: remote === undefined ? undefined : formatIpAddress(remote),
      dns: dns.map(formatIpAddress),
      mruBytes,
    };
  }
}

/** All addresses are IPv4 addresses as text; throws a LacewingError for what is none. */
export function newIpcpServer(
  negotiation: NegotiationState,
  local: string,
  remote: string,
  dns: readonly string[],
): IpcpServerState {
  for (const address of [local, remote, ...dns]) octetsOf(address);
  return {
    role: "server",
    protocol: "ipv4",
    negotiation,
    up: false,
    local,
    remote,
    dns,
    localRefusals: 0,
    tellLocal: true,
  };
}

export function newIpcpClient(negotiation: NegotiationState): IpcpClientState {
  return {
    role: "client",
    protocol: "ipv4",
    negotiation,
    up: false,
    local: UNSPECIFIED,
    askAddress: true,
    primaryDns: UNSPECIFIED,
    secondaryDns: UNSPECIFIED,
    remote: undefined,
  };
}

function octetsOf(address: string): Uint8Array {
  const octets = parseIpv4Address(address);
  if (octets === undefined)
    throw new LacewingError("PPP_BAD_ADDRESS", `not an IPv4 address to grant: ${address}`);
  return octets;
}

function addressOption(kind: IpcpAddressKind, address: Uint8Array): ConfigOption {
  return emitIpcpOption({ kind, address });
}

/** The kind of address option that a type is, whatever its data. */
function addressKind(type: number): IpcpAddressKind | undefined {
  const option = parseIpcpOption({ type, data: UNSPECIFIED });
  return "address" in option ? option.kind : undefined;
}
