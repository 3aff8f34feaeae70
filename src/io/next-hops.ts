/**
 * Where outer packets go: the device, MAC addresses, VLAN tags and MTU for an address, as the kernel's routes, policy
 * rules, neighbours and links say at this moment, over rtnetlink.
 */

import { Scheduler, type Timed } from "../base/scheduler.ts";
import { type Clock, NEVER } from "../base/time.ts";
import { parseIpAddress } from "../wire/ip-address.ts";
import { RTMGRP_NETWORK } from "../wire/rtnetlink-event.ts";
import type { NativeError } from "./addon.ts";
import { addon } from "./native.ts";
import { watchNetlink } from "./netlink-watch.ts";
import { type NextHop, type Question, sameResolution, type Unresolved } from "./next-hop-resolution.ts";
import { type NextHopOutput, NextHopTable } from "./next-hop-table.ts";
import { systemClock, timerAlarm } from "./system.ts";

export type { NextHop, Unresolved } from "./next-hop-resolution.ts";

export interface NextHopQuery {
  /** IPv4 or IPv6, as text. */
  readonly remoteAddress: string;
  /** The source of the packets: policy rules see it. The kernel chooses one when absent. */
  readonly localAddress?: string;
  /** Only by this device (a socket that is bound to it). */
  readonly ifindex?: number;
}

export interface NextHops {
  /**
   * Calls `changed` once soon, never from within watch(), and then at every change; never when nothing has changed.
   * Watches of the same question share one answer; the hop that they get is one object.
   */
  watch(query: NextHopQuery, changed: (hop: NextHop | Unresolved) => void): { close(): void };
  /** Nothing is called after this. */
  close(): void;
}

export interface NextHopOptions {
  /** A path of a network namespace ("/run/netns/core"); this process's when absent. */
  readonly netnsPath?: string;
  /** The system's when absent. */
  readonly clock?: Clock;
}

/** Opens the real thing. Throws a NativeError when there is no netlink socket to be had. */
export function openNextHops(options: NextHopOptions = {}): NextHops {
  return new NetlinkNextHops(options);
}

type Resolution = NextHop | Unresolved;

interface Watch {
  readonly changed: (hop: Resolution) => void;
  told: Resolution | undefined;
}

/** All watches of one question. */
interface Shared {
  readonly watches: Set<Watch>;
  hop: Resolution | undefined;
}

/** What the kernel may answer another time: it was busy, or short of memory. */
const PASSING_FAILURES = ["ETIMEDOUT", "ENOBUFS", "ENOMEM"];

class NetlinkNextHops implements NextHops {
  readonly #clock: Clock;
  readonly #table = new NextHopTable();
  readonly #shared = new Map<string, Shared>();
  /** Watches of questions that were answered before they came. */
  #late: { readonly shared: Shared; readonly watch: Watch }[] = [];
  readonly #requests: number;
  readonly #notifications: number;
  readonly #listener: { close(): void };
  readonly #alarm: ReturnType<typeof timerAlarm>;
  readonly #scheduler: Scheduler;
  readonly #timed: Timed = {
    deadline: () => (this.#late.length > 0 ? -NEVER : this.#table.deadline()),
    timeout: () => this.#timeout(),
  };
  #open = true;

  constructor({ netnsPath, clock = systemClock }: NextHopOptions) {
    this.#clock = clock;
    this.#alarm = timerAlarm(clock, () => this.#scheduler.run(clock.now()));
    this.#scheduler = new Scheduler(this.#alarm);
    const netns = netnsPath === undefined ? {} : { netnsPath };
    this.#requests = addon.openNetlink({ ...netns, groups: 0 });
    try {
      this.#notifications = addon.openNetlink({ ...netns, groups: RTMGRP_NETWORK });
    } catch (error) {
      addon.close(this.#requests);
      throw error;
    }
    this.#listener = watchNetlink(this.#notifications, {
      heard: (part) => {
        this.#table.heard(clock.now(), [part]);
        this.#scheduler.update(this.#timed);
      },
      overrun: () => {
        this.#table.overrun(clock.now());
        this.#scheduler.update(this.#timed);
      },
    });
  }

  watch(query: NextHopQuery, changed: (hop: Resolution) => void): { close(): void } {
    const watch: Watch = { changed, told: undefined };
    const question = questionOf(query);
    const key = question && this.#table.watch(this.#clock.now(), question);
    const shared = this.#sharedFor(key);
    shared.watches.add(watch);
    if (shared.hop !== undefined) this.#late.push({ shared, watch });
    this.#scheduler.update(this.#timed);
    return {
      close: () => {
        if (!shared.watches.delete(watch) || shared.watches.size > 0 || key === undefined) return;
        this.#shared.delete(key);
        this.#table.forget(key);
      },
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#alarm.cancel();
    this.#listener.close();
    addon.close(this.#notifications);
    addon.close(this.#requests);
  }

  #sharedFor(key: string | undefined): Shared {
    if (key === undefined) return { watches: new Set(), hop: { reason: "not an IP address" } };
    const shared = this.#shared.get(key) ?? { watches: new Set(), hop: undefined };
    this.#shared.set(key, shared);
    return shared;
  }

  #timeout(): void {
    try {
      const late = this.#late;
      this.#late = [];
      for (const { shared, watch } of late) this.#tell(shared, watch);
      if (this.#open) this.#perform(this.#table.timeout(this.#clock.now()));
    } finally {
      if (this.#open) this.#scheduler.update(this.#timed);
    }
  }

  #perform(outputs: readonly NextHopOutput[]): void {
    const changed = new Set<Shared>();
    const queue = [...outputs];
    for (const output of queue) {
      if (output.kind === "ask") {
        queue.push(...this.#table.answered(this.#clock.now(), output.seq, this.#transact(output.request)));
        continue;
      }
      const shared = this.#shared.get(output.key)!;
      shared.hop = output.hop;
      changed.add(shared);
    }
    // at the end: whoever is told may watch others, or close
    for (const shared of changed) for (const watch of [...shared.watches]) this.#tell(shared, watch);
  }

  /** What the kernel answers; no parts when it does not, this time. */
  #transact(request: Uint8Array): readonly Uint8Array[] {
    try {
      return addon.netlinkTransact(this.#requests, request);
    } catch (error) {
      if (PASSING_FAILURES.includes((error as NativeError).code)) return [];
      throw error;
    }
  }

  #tell({ hop, watches }: Shared, watch: Watch): void {
    if (!this.#open || hop === undefined || !watches.has(watch)) return;
    if (watch.told !== undefined && sameResolution(watch.told, hop)) return;
    watch.told = hop;
    watch.changed(hop);
  }
}

/** Undefined when an address is none. */
function questionOf({ remoteAddress, localAddress, ifindex }: NextHopQuery): Question | undefined {
  const remote = parseIpAddress(remoteAddress);
  const local = localAddress === undefined ? undefined : parseIpAddress(localAddress);
  if (remote === undefined || (localAddress !== undefined && local === undefined)) return undefined;
  return { remote, ...(local !== undefined && { local }), ...(ifindex !== undefined && { ifindex }) };
}
