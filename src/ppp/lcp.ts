import type { RandomSource } from "../base/random.ts";
import {
  CHAP_MD5,
  CHAP_MSCHAP_V2,
  emitLcpOption,
  type LcpOption,
  OPTION_AUTHENTICATION,
  OPTION_MAGIC,
  OPTION_MRU,
  parseLcpOption,
} from "../wire/lcp.ts";
import { PPP_CHAP, PPP_PAP } from "../wire/ppp.ts";
import { type ConfigOption, emitOptions } from "../wire/ppp-control.ts";
import { forgetRequest, type Judgement, type NegotiationState, type OptionPolicy } from "./negotiation.ts";

/** How a side proves who it is. */
export type AuthenticationMethod = "chap-md5" | "ms-chap-v2" | "pap";

/** What carries the PPP frames; some LCP options make no sense on PPPoE (RFC 2516 §7). */
export type LinkKind = "pppoe" | "l2tp";

/** An MRU that was not negotiated (RFC 1661 §6.1). */
const DEFAULT_MRU_BYTES = 1500;

/** A smaller MRU is no use to anyone and is Nak'ed up. */
export const MIN_MRU_BYTES = 128;

/** Configure-Requests in a row that carry our own magic number until the link is taken for looped back. */
export const MAX_LOOPS = 5;

export interface LcpConfig {
  readonly link: LinkKind;
  /** Ours, announced to the peer. */
  readonly mruBytes: number;
  /** The largest that the peer may have: what fits into the frames that we send. */
  readonly maxMruBytes: number;
  /** We demand one of these of the peer, the first best; empty demands nothing. */
  readonly ask: readonly AuthenticationMethod[];
  /** We submit to these when the peer demands them; empty rejects the demand. */
  readonly answer: readonly AuthenticationMethod[];
}

/** Plain data. */
export interface LcpState {
  negotiation: NegotiationState;
  /** What our Configure-Request says. */
  mruBytes: number | undefined;
  /** 0: not negotiated. */
  magic: number;
  ask: AuthenticationMethod | undefined;
  /** Methods that the peer has Nak'ed. */
  askRefused: readonly AuthenticationMethod[];
  /** The peer rejected the very option, or Nak'ed every method that we offer. */
  askRejected: boolean;
  /** What the peer's acknowledged Configure-Request says. */
  peerMruBytes: number;
  peerMagic: number;
  /** What the peer has asked us to escape on an asynchronous line (ACCM, RFC 1662 §7.1). */
  peerAccm: number;
  /** The peer demands this of us. */
  answer: AuthenticationMethod | undefined;
  /** Options octets of the peer's first Configure-Request and of the one that we acknowledged. */
  firstReceived: Uint8Array | undefined;
  lastReceived: Uint8Array | undefined;
  /** Configure-Requests in a row with our own magic. */
  loops: number;
}

/** Every control character (RFC 1662 §7.1). */
export const DEFAULT_ACCM = 0xffff_ffff;

const NO_METHODS: readonly AuthenticationMethod[] = [];

export function newLcp(negotiation: NegotiationState): LcpState {
  return {
    negotiation,
    mruBytes: undefined,
    magic: 0,
    ask: undefined,
    askRefused: NO_METHODS,
    askRejected: false,
    peerMruBytes: DEFAULT_MRU_BYTES,
    peerMagic: 0,
    peerAccm: DEFAULT_ACCM,
    answer: undefined,
    firstReceived: undefined,
    lastReceived: undefined,
    loops: 0,
  };
}

/** LCP's options (RFC 1661 §6): what we ask for and what we put up with. */
export class LcpPolicy implements OptionPolicy {
  readonly #config: LcpConfig;
  readonly #random: RandomSource;
  readonly #state: LcpState;

  constructor(config: LcpConfig, random: RandomSource, state: LcpState) {
    this.#config = config;
    this.#random = random;
    this.#state = state;
  }

  reset(): void {
    const s = this.#state;
    s.mruBytes = this.#config.mruBytes;
    s.magic = this.#newMagic();
    s.ask = this.#config.ask[0];
    s.askRefused = NO_METHODS;
    s.askRejected = false;
  }

  request(): readonly ConfigOption[] {
    const s = this.#state;
    const options: LcpOption[] = [];
    if (s.mruBytes !== undefined) options.push({ kind: "mru", mruBytes: s.mruBytes });
    if (s.ask !== undefined) options.push(authenticationOption(s.ask));
    if (s.magic !== 0) options.push({ kind: "magic", magic: s.magic });
    return options.map(emitLcpOption);
  }

  judge(options: readonly ConfigOption[], mayNak: boolean): Judgement {
    const s = this.#state;
    s.firstReceived ??= emitOptions(options);
    const read = options.map(parseLcpOption);
    if (read.some((option) => option.kind === "magic" && option.magic !== 0 && option.magic === s.magic)) {
      // Before anything else: on a looped line the other options are our own, and rejecting them tells us nothing
      s.loops += 1;
      return { kind: "nak", options: [emitLcpOption({ kind: "magic", magic: this.#newMagic() })] };
    }
    s.loops = 0;
    const naks: ConfigOption[] = [];
    const rejects: ConfigOption[] = [];
    for (const [i, option] of read.entries()) {
      const verdict = judgeOption(this.#config, option, () => this.#newMagic());
      if (verdict === "reject" || (verdict !== "ack" && !mayNak)) rejects.push(options[i]!);
      else if (verdict !== "ack") naks.push(emitLcpOption(verdict));
    }
    if (rejects.length > 0) return { kind: "reject", options: rejects };
    return naks.length > 0 ? { kind: "nak", options: naks } : { kind: "ack" };
  }

  peerAcked(options: readonly ConfigOption[]): void {
    readPeerOptions(this.#state, options);
  }

  naked(options: readonly ConfigOption[]): void {
    const s = this.#state;
    for (const raw of options) {
      const option = parseLcpOption(raw);
      switch (option.kind) {
        case "mru":
          // A hint to send less is taken; more than we can receive is not ours to announce
          if (s.mruBytes !== undefined && option.mruBytes >= MIN_MRU_BYTES && option.mruBytes < s.mruBytes)
            s.mruBytes = option.mruBytes;
          break;
        case "magic":
          s.magic = this.#newMagic();
          break;
        case "authentication":
        case "malformed":
          if (raw.type === OPTION_AUTHENTICATION) this.#askAnother(authenticationMethod(option));
          break;
        default:
        // What we did not ask for and the peer would like us to ask for: we don't need it
      }
    }
  }

  rejected(options: readonly ConfigOption[]): void {
    const s = this.#state;
    for (const { type } of options) {
      if (type === OPTION_MRU) s.mruBytes = undefined;
      else if (type === OPTION_MAGIC) s.magic = 0;
      else if (type === OPTION_AUTHENTICATION) s.askRejected = true;
    }
  }

  #askAnother(wish: AuthenticationMethod | undefined): void {
    const s = this.#state;
    if (s.ask === undefined) return;
    const refused = [...s.askRefused, s.ask];
    s.askRefused = refused;
    const left = this.#config.ask.filter((method) => !refused.includes(method));
    if (wish !== undefined && left.includes(wish)) s.ask = wish;
    else if (left[0] !== undefined) s.ask = left[0];
    else s.askRejected = true;
  }

  #newMagic(): number {
    return this.#random.uint32() || 1;
  }
}

/** "ack", "reject", or the value to Nak with. */
function judgeOption(
  config: LcpConfig,
  option: LcpOption,
  newMagic: () => number,
): "ack" | "reject" | LcpOption {
  switch (option.kind) {
    case "mru":
      if (option.mruBytes > config.maxMruBytes) return { kind: "mru", mruBytes: config.maxMruBytes };
      return option.mruBytes < MIN_MRU_BYTES ? { kind: "mru", mruBytes: MIN_MRU_BYTES } : "ack";
    case "magic":
      return option.magic === 0 ? { kind: "magic", magic: newMagic() } : "ack";
    case "authentication": {
      const best = config.answer[0];
      if (best === undefined) return "reject";
      const method = authenticationMethod(option);
      return method !== undefined && config.answer.includes(method) ? "ack" : authenticationOption(best);
    }
    case "accm":
    case "pfc":
    case "acfc":
      // RFC 2516 §7: ACCM and ACFC must not, PFC should not be negotiated on PPPoE. Elsewhere they allow us
      // what we make no use of
      return config.link === "pppoe" ? "reject" : "ack";
    case "malformed":
      // RFC 1661 §5.3: a known option of impossible length is Nak'ed with what would do
      if (option.type === OPTION_MRU) return { kind: "mru", mruBytes: config.maxMruBytes };
      if (option.type === OPTION_MAGIC) return { kind: "magic", magic: newMagic() };
      if (option.type === OPTION_AUTHENTICATION && config.answer[0] !== undefined)
        return authenticationOption(config.answer[0]);
      return "reject";
    case "quality":
    case "unknown":
      return "reject";
  }
}

/** Takes over what the peer's Configure-Request says and we acknowledged. */
export function readPeerOptions(state: LcpState, options: readonly ConfigOption[]): void {
  state.lastReceived = emitOptions(options);
  state.peerMruBytes = DEFAULT_MRU_BYTES;
  state.peerMagic = 0;
  state.peerAccm = DEFAULT_ACCM;
  state.answer = undefined;
  for (const raw of options) {
    const option = parseLcpOption(raw);
    if (option.kind === "mru") state.peerMruBytes = option.mruBytes;
    else if (option.kind === "magic") state.peerMagic = option.magic;
    else if (option.kind === "accm") state.peerAccm = option.map;
    else if (option.kind === "authentication") state.answer = authenticationMethod(option);
  }
}

/** Lets go of what only a LAC's proxy AVPs would need: an open link has thousands beside it. */
export function forgetRequests(state: LcpState): void {
  state.firstReceived = undefined;
  state.lastReceived = undefined;
  forgetRequest(state.negotiation);
}

/** The method that an Authentication-Protocol option means; undefined for those that we don't know. */
export function authenticationMethod(option: LcpOption): AuthenticationMethod | undefined {
  if (option.kind !== "authentication") return undefined;
  if (option.protocol === PPP_PAP) return option.data.length === 0 ? "pap" : undefined;
  if (option.protocol !== PPP_CHAP) return undefined;
  if (option.data[0] === CHAP_MD5) return "chap-md5";
  return option.data[0] === CHAP_MSCHAP_V2 ? "ms-chap-v2" : undefined;
}

const NO_DATA = new Uint8Array(0);

function authenticationOption(method: AuthenticationMethod): LcpOption {
  switch (method) {
    case "pap":
      return { kind: "authentication", protocol: PPP_PAP, data: NO_DATA };
    case "chap-md5":
      return { kind: "authentication", protocol: PPP_CHAP, data: Uint8Array.of(CHAP_MD5) };
    case "ms-chap-v2":
      return { kind: "authentication", protocol: PPP_CHAP, data: Uint8Array.of(CHAP_MSCHAP_V2) };
  }
}
