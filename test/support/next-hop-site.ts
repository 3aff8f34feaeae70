/** A machine of next hops and a kernel of plain values, in virtual time. */

import { expect } from "vitest";
import type { NextHop, Question, Unresolved } from "../../src/io/next-hop-resolution.ts";
import { type NextHopOutput, NextHopTable } from "../../src/io/next-hop-table.ts";
import { octets, PlayedKernel, type PlayedLink } from "./played-rtnetlink.ts";

export const LNS = "192.0.2.1";
export const GATEWAY = octets("10.0.0.2");
export const OTHER_GATEWAY = octets("10.0.1.2");
export const SOURCE = octets("10.0.0.1");
export const mac = (last: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, last);
export const CORE0: PlayedLink = { ifindex: 2, name: "core0", mac: mac(1) };
export const CORE1: PlayedLink = { ifindex: 3, name: "core1", mac: mac(2) };
export const VIA_CORE0 = { ifindex: 2, gateway: GATEWAY, source: SOURCE };
export const VIA_CORE1 = { ifindex: 3, gateway: OTHER_GATEWAY, source: SOURCE };

export class NextHopSite {
  readonly kernel = new PlayedKernel();
  readonly table = new NextHopTable();
  readonly told: { readonly key: string; readonly hop: NextHop | Unresolved }[] = [];
  /** When the last one was told. */
  toldAt = 0;
  now = 0;

  constructor() {
    for (const link of [CORE0, CORE1]) this.kernel.setLink(link);
    this.kernel.setRoute(LNS, VIA_CORE0);
    this.kernel.hosts.set(PlayedKernel.key(2, GATEWAY), mac(11));
    this.kernel.hosts.set(PlayedKernel.key(3, OTHER_GATEWAY), mac(12));
    this.kernel.events.length = 0;
  }

  watch(question: Question | string): string {
    return this.table.watch(this.now, typeof question === "string" ? { remote: octets(question) } : question);
  }

  /** The kernel's notifications arrive. */
  hear(): void {
    for (const event of this.kernel.events.splice(0)) this.table.heard(this.now, [event]);
  }

  /** Until `ms` have passed, with everything that happens meanwhile. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.hear();
      const next = this.table.deadline();
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.perform(this.table.timeout(this.now));
    }
    this.now = end;
  }

  perform(outputs: readonly NextHopOutput[]): void {
    const queue = [...outputs];
    for (const output of queue) {
      if (output.kind === "ask")
        queue.push(...this.table.answered(this.now, output.seq, this.kernel.answer(output.request)));
      else {
        this.told.push({ key: output.key, hop: output.hop });
        this.toldAt = this.now;
      }
    }
  }

  /** What was told since the last call. */
  news(): (NextHop | Unresolved)[] {
    return this.told.splice(0).map(({ hop }) => hop);
  }

  /** How many requests of a type since the last call. */
  asked(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const type of this.kernel.asked.splice(0)) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  }
}

/** A site whose LNS is watched and found. */
export function settledSite(): NextHopSite {
  const site = new NextHopSite();
  site.watch(LNS);
  site.run(100);
  expect(site.news()).toHaveLength(1);
  site.asked();
  return site;
}

export const HOP: NextHop = {
  ifindex: 2,
  device: "core0",
  sourceMac: mac(1),
  destinationMac: mac(11),
  tags: [],
  mtuBytes: 1500,
  localAddress: "10.0.0.1",
};
