import { utf8 } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import type { Secret } from "../base/secret.ts";
import type { Instant } from "../base/time.ts";
import {
  beginClientAuthentication,
  type ClientAuthenticationState,
  type ClientAuthenticationStep,
  type ClientSecrets,
  clientAuthenticationDeadline,
  clientAuthenticationTimeout,
  receiveClientAuthentication,
} from "./client-authentication.ts";
import { newIpcpClient } from "./ipcp.ts";
import { newIpv6cp } from "./ipv6cp.ts";
import type { AuthenticationMethod, LinkKind } from "./lcp.ts";
import { Link, type LinkState, newLinkState } from "./link.ts";
import type { LinkOutput } from "./link-types.ts";
import { newNegotiation } from "./negotiation.ts";
import type { NcpState } from "./network.ts";
import type { PppTimers } from "./timers.ts";

export interface PppClientConfig {
  readonly link: LinkKind;
  /** Our MRU, announced to the peer. */
  readonly mruBytes: number;
  /** The largest MRU that the peer may have: what fits into the frames that we send. */
  readonly maxMruBytes: number;
  /** At most 255 octets as UTF-8. */
  readonly user: string;
  readonly password: Secret;
  /** What we let ourselves be authenticated with, best first. */
  readonly accept: readonly AuthenticationMethod[];
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly timers: PppTimers;
}

/** Plain data; holds the password only inside a PAP request that waits for its verdict. */
export interface PppClientState extends LinkState {
  authentication: ClientAuthenticationState;
}

type Out = LinkOutput[];

/** The subscriber's end of a PPP link: proves who it is and takes the addresses that it is given. */
export class PppClient extends Link<PppClientState, LinkOutput> {
  readonly #config: PppClientConfig;

  constructor(config: PppClientConfig, random: RandomSource, state?: PppClientState) {
    const { link, mruBytes, maxMruBytes, accept } = config;
    super(
      { link, mruBytes, maxMruBytes, ask: [], answer: accept },
      config.timers,
      random,
      state === undefined
        ? // not with a spread: see PppServer's
          Object.assign(newLinkState(random), { authentication: { kind: "idle" } as const })
        : structuredClone(state),
    );
    this.#config = config;
  }

  protected override authenticate(now: Instant, out: Out): void {
    const { answer } = this.state.lcp;
    if (answer === undefined) this.openNetwork(now, this.#ncps(), out);
    else {
      const identifier = this.firstIdentifier();
      this.#step(
        now,
        beginClientAuthentication(now, answer, identifier, this.#secrets(), this.#config.timers),
        out,
      );
    }
  }

  protected override forgetAuthentication(): void {
    this.state.authentication = { kind: "idle" };
  }

  protected override receiveAuthentication(
    now: Instant,
    protocol: number,
    packet: Uint8Array,
    out: Out,
  ): void {
    const { authentication } = this.state;
    this.#step(
      now,
      receiveClientAuthentication(
        authentication,
        now,
        protocol,
        packet,
        this.#secrets(),
        this.random,
        this.#config.timers,
      ),
      out,
    );
  }

  protected override authenticationDeadline(): Instant {
    return clientAuthenticationDeadline(this.state.authentication);
  }

  protected override networkHeard(): void {
    // the verdict was ours to wait for, and is there
  }

  protected override authenticationTimeout(now: Instant, out: Out): void {
    this.#step(now, clientAuthenticationTimeout(this.state.authentication, now, this.#config.timers), out);
  }

  protected override intercept(): boolean {
    return false;
  }

  #step(now: Instant, step: ClientAuthenticationStep, out: Out): void {
    this.state.authentication = step.state;
    for (const output of step.outputs) {
      switch (output.kind) {
        case "send":
          this.send(output.protocol, output.packet, out);
          break;
        case "accepted":
          this.openNetwork(now, this.#ncps(), out);
          break;
        case "failed": {
          const { message } = output;
          const text = message === "" ? "the server refused us" : `the server refused us: ${message}`;
          this.close(now, { kind: "authentication-failed", message, text }, "authentication failed", out);
          break;
        }
        case "impostor": {
          const text = "the server does not show that it knows our password";
          this.close(now, { kind: "authentication-failed", message: "", text }, text, out);
          break;
        }
        case "timeout": {
          const { lastSent, times } = output;
          const text = `the server did not authenticate us: ${lastSent} sent ${times} times, no answer`;
          this.close(
            now,
            { kind: "authentication-timeout", lastSent, times, text },
            "authentication timed out",
            out,
          );
        }
      }
    }
  }

  #ncps(): readonly NcpState[] {
    const ncps: NcpState[] = [];
    if (this.#config.ipv4) ncps.push(newIpcpClient(newNegotiation(this.firstIdentifier())));
    if (this.#config.ipv6)
      ncps.push(newIpv6cp(newNegotiation(this.firstIdentifier()), this.random, undefined, undefined));
    return ncps;
  }

  #secrets(): ClientSecrets {
    return { name: utf8(this.#config.user), password: this.#config.password.octets() };
  }
}
