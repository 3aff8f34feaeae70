/**
 * Whether the host's IPsec policies (XFRM) have something to do with datagrams: what leaves or arrives without the
 * host's network stack passes by them.
 */

import { type Clock, type Instant, NEVER } from "../base/time.ts";
import { netlinkErrno, parseNetlinkMessages } from "../wire/rtnetlink.ts";
import {
  getDefaultPolicyRequest,
  getPoliciesRequest,
  NETLINK_XFRM,
  parseDefaultPolicy,
  parsePolicy,
  XFRMGRP_POLICY,
} from "../wire/xfrm-policy.ts";
import type { NativeError } from "./addon.ts";
import { IpsecPolicySet, type UdpConversation } from "./ipsec-policy-set.ts";
import { addon } from "./native.ts";
import { watchNetlink } from "./netlink-watch.ts";
import { systemClock, timerAlarm } from "./system.ts";

export interface IpsecPolicies {
  /** Why the datagrams may not go, or come, as they are; undefined when they may. */
  obstacle(conversation: UdpConversation): string | undefined;
  /** The one receiver of changes: obstacle() may say something else from now on. */
  onChange(handler: () => void): void;
  close(): void;
}

export interface IpsecOptions {
  /** A path of a network namespace ("/run/netns/core"); this process's when absent. */
  readonly netnsPath?: string;
  /** The system's when absent. */
  readonly clock?: Clock;
}

/** Who changes one policy changes others. */
const COALESCE_MS = 2;
/** An IKE daemon with thousands of peers changes its policies all the time: reading them takes its share, and no more. */
const PAUSE_MS = 50;
const PAUSE_PER_MS_OF_READING = 10;
/** Of a policy whose lifetime ends the members of the group are not told. */
const REFRESH_MS = 30_000;
/** What could not be read is read again. */
const RETRY_MS = 1000;

const NOTHING_IS_BLOCKED = { blocksIn: false, blocksOut: false };

/** Opens the real thing. Throws a NativeError when there is no netlink socket to be had. A kernel without IPsec has none. */
export function openIpsecPolicies(options: IpsecOptions = {}): IpsecPolicies {
  try {
    return new NetlinkIpsecPolicies(options);
  } catch (error) {
    if ((error as NativeError).code !== "EPROTONOSUPPORT") throw error;
    return { obstacle: () => undefined, onChange() {}, close() {} };
  }
}

class NetlinkIpsecPolicies implements IpsecPolicies {
  readonly #clock: Clock;
  readonly #requests: number;
  readonly #notifications: number;
  readonly #listener: { close(): void };
  readonly #alarm: ReturnType<typeof timerAlarm>;
  /** A text: why they are not known. */
  #policies: IpsecPolicySet | string = "IPsec policies have not been read yet";
  #changed: () => void = () => {};
  #seq = 0;
  #readAt: Instant = NEVER;
  #notBefore: Instant = -NEVER;

  constructor({ netnsPath, clock = systemClock }: IpsecOptions) {
    this.#clock = clock;
    this.#alarm = timerAlarm(clock, () => {
      this.#read();
      this.#changed();
    });
    const socket = { ...(netnsPath !== undefined && { netnsPath }), protocol: NETLINK_XFRM };
    this.#requests = addon.openNetlink({ ...socket, groups: 0 });
    try {
      this.#notifications = addon.openNetlink({ ...socket, groups: XFRMGRP_POLICY });
    } catch (error) {
      addon.close(this.#requests);
      throw error;
    }
    const doubt = () => this.#readBy(Math.max(clock.now() + COALESCE_MS, this.#notBefore));
    this.#listener = watchNetlink(this.#notifications, { heard: doubt, overrun: doubt });
    this.#read();
  }

  obstacle(conversation: UdpConversation): string | undefined {
    return typeof this.#policies === "string" ? this.#policies : this.#policies.obstacle(conversation);
  }

  onChange(handler: () => void): void {
    this.#changed = handler;
  }

  close(): void {
    this.#alarm.cancel();
    this.#listener.close();
    addon.close(this.#notifications);
    addon.close(this.#requests);
  }

  #readBy(at: Instant): void {
    if (at >= this.#readAt) return;
    this.#readAt = at;
    this.#alarm.arm(at);
  }

  #read(): void {
    const began = this.#clock.now();
    this.#policies = this.#ask();
    const now = this.#clock.now();
    this.#notBefore = now + Math.max(PAUSE_MS, (now - began) * PAUSE_PER_MS_OF_READING);
    this.#readAt = NEVER;
    this.#readBy(now + (typeof this.#policies === "string" ? RETRY_MS : REFRESH_MS));
  }

  #ask(): IpsecPolicySet | string {
    try {
      const answer = this.#transact(getPoliciesRequest);
      const errno = netlinkErrno(answer);
      if (errno !== 0) return `IPsec policies cannot be read (errno ${errno})`;
      const policies = parseNetlinkMessages(answer).flatMap((message) => parsePolicy(message) ?? []);
      // kernels that do not know the question block nothing
      const rest = parseNetlinkMessages(this.#transact(getDefaultPolicyRequest))
        .map(parseDefaultPolicy)
        .find((found) => found !== undefined);
      return new IpsecPolicySet(policies, rest ?? NOTHING_IS_BLOCKED);
    } catch (error) {
      return `IPsec policies cannot be read (${(error as NativeError).message})`;
    }
  }

  #transact(build: (seq: number) => Uint8Array): readonly Uint8Array[] {
    this.#seq += 1;
    return addon.netlinkTransact(this.#requests, build(this.#seq));
  }
}
