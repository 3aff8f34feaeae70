import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NextHop, Unresolved } from "../../src/io/next-hop-resolution.ts";
import type { NextHopOutput } from "../../src/io/next-hop-table.ts";
import {
  CORE0,
  CORE1,
  GATEWAY,
  HOP,
  LNS,
  mac,
  NextHopSite,
  OTHER_GATEWAY,
  SOURCE,
  VIA_CORE0,
  VIA_CORE1,
} from "../support/next-hop-site.ts";
import {
  addressMessage,
  errorMessage,
  linkMessage,
  NUD,
  neighbourMessage,
  octets,
  PlayedKernel,
  RTM,
  routeMessage,
} from "../support/played-rtnetlink.ts";

describe("whatever happens", () => {
  /** What a host's network may do, with small numbers so that it does it to the same things. */
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant("route" as const), to: fc.nat(2), way: fc.nat(3) }),
    fc.record({ kind: fc.constant("link" as const), which: fc.nat(1), form: fc.nat(4) }),
    fc.record({ kind: fc.constant("neighbour" as const), which: fc.nat(1), form: fc.nat(4) }),
    fc.record({ kind: fc.constant("host" as const), which: fc.nat(1), last: fc.nat(9) }),
    fc.record({ kind: fc.constant("hear" as const), lost: fc.boolean() }),
    fc.record({ kind: fc.constant("answer" as const), count: fc.nat(5) }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(3000) }),
    fc.record({ kind: fc.constant("watch" as const), to: fc.nat(2) }),
    fc.record({ kind: fc.constant("forget" as const), to: fc.nat(2) }),
  );
  type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;

  const REMOTES = [LNS, "192.0.2.2", "192.0.2.3"] as const;
  const WAYS = [VIA_CORE0, VIA_CORE1, 101, { ...VIA_CORE0, mtuBytes: 1400 }] as const;
  const AT = [
    { ifindex: 2, address: GATEWAY },
    { ifindex: 3, address: OTHER_GATEWAY },
  ] as const;

  /** A site whose answers are under way for a while, as they would be from a thread. */
  class SlowSite extends NextHopSite {
    readonly underWay: { readonly seq: number; readonly answer: Uint8Array[] }[] = [];
    readonly latest = new Map<string, NextHop | Unresolved>();

    override perform(outputs: readonly NextHopOutput[]): void {
      for (const output of outputs) {
        if (output.kind === "changed") {
          expect(this.latest.get(output.key)).not.toEqual(output.hop);
          this.latest.set(output.key, output.hop);
        } else this.underWay.push({ seq: output.seq, answer: this.kernel.answer(output.request) });
      }
    }

    arrive(count: number): void {
      for (const { seq, answer } of this.underWay.splice(0, count))
        this.perform(this.table.answered(this.now, seq, answer));
    }

    /** Until nothing is under way any more; not for so long that routes are asked for unasked. */
    settle(): void {
      for (let second = 0; second < 6; second++) {
        this.run(1000);
        while (this.underWay.length > 0) this.arrive(1);
        this.hear();
      }
    }
  }

  /** Does the change, to the site's kernel or to when what is heard of it. */
  const CHANGES: {
    readonly [Kind in Mutation["kind"]]: (site: SlowSite, change: Extract<Mutation, { kind: Kind }>) => void;
  } = {
    route: ({ kernel }, { to, way }) => kernel.setRoute(REMOTES[to]!, WAYS[way]!),
    link({ kernel }, { which, form }) {
      const link = [CORE0, CORE1][which]!;
      if (form === 0) kernel.deleteLink(link.ifindex);
      else kernel.setLink({ ...link, up: form !== 1, mtuBytes: 1000 + form });
    },
    neighbour({ kernel }, { which, form }) {
      const at = AT[which]!;
      const state = [undefined, NUD.stale, NUD.reachable, NUD.permanent, NUD.failed][form];
      if (state === undefined) kernel.deleteNeighbour(at.ifindex, at.address);
      else kernel.setNeighbour({ ...at, state, ...(state !== NUD.failed && { mac: mac(70 + form) }) });
    },
    host({ kernel }, { which, last }) {
      const at = AT[which]!;
      const key = PlayedKernel.key(at.ifindex, at.address);
      if (last === 0) kernel.hosts.delete(key);
      else kernel.hosts.set(key, mac(80 + last));
      kernel.giveUp();
    },
    hear(site, { lost }) {
      if (lost && site.kernel.events.splice(0).length > 0) site.table.overrun(site.now);
      site.hear();
    },
    answer: (site, { count }) => site.arrive(count),
    pass(site, { ms }) {
      site.now += ms;
      site.perform(site.table.timeout(site.now));
    },
    watch(site, { to }) {
      site.watch(REMOTES[to]!);
    },
    forget(site, { to }) {
      const key = site.watch(REMOTES[to]!);
      site.table.forget(key);
      site.latest.delete(key);
    },
  };

  function mutate(site: SlowSite, change: Mutation): void {
    (CHANGES[change.kind] as (site: SlowSite, change: Mutation) => void)(site, change);
  }

  it("what was told last is what a new machine finds", () => {
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 60 }), (changes) => {
        const site = new SlowSite();
        const keys = REMOTES.map((remote) => site.watch(remote));
        for (const change of changes) mutate(site, change);
        for (const remote of REMOTES) site.watch(remote);
        site.settle();
        const fresh = new SlowSite();
        for (const [from, to] of [
          [site.kernel.links, fresh.kernel.links],
          [site.kernel.neighbours, fresh.kernel.neighbours],
          [site.kernel.routes, fresh.kernel.routes],
          [site.kernel.hosts, fresh.kernel.hosts],
        ] as [Map<unknown, unknown>, Map<unknown, unknown>][]) {
          to.clear();
          for (const [key, value] of from) to.set(key, value);
        }
        for (const remote of REMOTES) fresh.watch(remote);
        fresh.settle();
        for (const key of keys) expect(site.latest.get(key)).toEqual(fresh.latest.get(key));
        for (const key of keys) expect(site.latest.get(key)).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  it("octets that are no kernel's never throw, and the truth comes out in the end", () => {
    const messages = [
      linkMessage(RTM.NEWLINK, 0, CORE0),
      neighbourMessage(RTM.NEWNEIGH, 0, { ...AT[0], state: NUD.reachable, mac: mac(9) }),
      routeMessage(RTM.NEWROUTE, 0, octets(LNS), 32, VIA_CORE0),
      addressMessage(RTM.NEWADDR, 2, SOURCE),
      errorMessage(1, 19),
    ];
    const damaged = fc
      .tuple(
        fc.nat(messages.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.nat(),
      )
      .map(([which, damages, cut]) => {
        const bytes = Uint8Array.from(messages[which]!);
        for (const [position, octet] of damages) bytes[position % bytes.length] = octet;
        return bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length);
      });
    fc.assert(
      fc.property(fc.array(damaged, { maxLength: 30 }), fc.boolean(), (junk, answers) => {
        const site = new SlowSite();
        const key = site.watch(LNS);
        for (const bytes of junk) {
          site.table.heard(site.now, [bytes]);
          site.now += 5;
          site.perform(site.table.timeout(site.now));
          const asked = site.underWay.shift();
          if (asked !== undefined)
            site.perform(site.table.answered(site.now, asked.seq, answers ? [bytes] : asked.answer));
        }
        // an answer that is none of the kernel's is only corrected by the next
        site.table.overrun(site.now);
        site.settle();
        expect(site.latest.get(key)).toEqual(HOP);
      }),
      { numRuns: 300 },
    );
  });
});
