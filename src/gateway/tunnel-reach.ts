/** What the network, or our own host, says of tunnels whose peer does not answer: it explains, and decides nothing. */

import type { Punt } from "../channel/dataplane.ts";
import type { PeerNotReached } from "../l2tp/outputs.ts";

/** What is sent in a tunnel does not arrive. */
export interface Obstacle {
  readonly tunnel: number;
  readonly peer: string;
  /** "unsent": our own host has not sent it; else what an ICMP error says. */
  readonly kind: string;
  readonly text: string;
}

type Report = Extract<Punt, { kind: "unreachable" }>;

interface Reached {
  readonly peer: string;
  /** Address and port. */
  readonly at: string;
  /** An answer is waited for: what is said of peers that answer is of no interest, and may be forged. */
  isAwaited: boolean;
  /** The kinds that have been told in this silence. */
  told: readonly string[];
  last: PeerNotReached | undefined;
}

/** The tunnels that we have called for, and those that are up. */
export class TunnelReach {
  readonly #tunnels = new Map<number, Reached>();
  readonly #at = new Map<string, Set<number>>();

  /** SCCRQ is on its way. */
  calling(tunnel: number, peer: string, address: string, udpPort: number): void {
    this.#add(tunnel, { peer, at: keyOf(address, udpPort), isAwaited: true, told: [], last: undefined });
  }

  up(tunnel: number, peer: string, address: string, udpPort: number): void {
    this.over(tunnel);
    this.#add(tunnel, { peer, at: keyOf(address, udpPort), isAwaited: false, told: [], last: undefined });
  }

  /** What was sent in a tunnel that is up is not acknowledged. */
  unanswered(tunnel: number): void {
    const known = this.#tunnels.get(tunnel);
    if (known !== undefined) known.isAwaited = true;
  }

  /** It is acknowledged again. */
  answers(tunnel: number): void {
    const known = this.#tunnels.get(tunnel);
    if (known === undefined) return;
    known.isAwaited = false;
    known.told = [];
    known.last = undefined;
  }

  over(tunnel: number): void {
    const known = this.#tunnels.get(tunnel);
    if (known === undefined) return;
    this.#tunnels.delete(tunnel);
    const there = this.#at.get(known.at);
    there?.delete(tunnel);
    if (there?.size === 0) this.#at.delete(known.at);
  }

  /** What is new in a report: of each silent tunnel to that address, each kind once. */
  reported(report: Report): readonly Obstacle[] {
    const there = this.#at.get(keyOf(report.remoteAddress, report.remotePort));
    if (there === undefined) return [];
    const kind = report.icmp?.reason ?? "unsent";
    const text = describeObstacle(report);
    const news: Obstacle[] = [];
    for (const tunnel of there) {
      const known = this.#tunnels.get(tunnel)!;
      if (!known.isAwaited) continue;
      known.last = kind === "unsent" ? { unsent: text } : { reported: text };
      if (known.told.includes(kind)) continue;
      known.told = [...known.told, kind];
      news.push({ tunnel, peer: known.peer, kind, text });
    }
    return news;
  }

  /** What was said last of a tunnel that is not answered. */
  lastOf(tunnel: number): PeerNotReached | undefined {
    return this.#tunnels.get(tunnel)?.last;
  }

  #add(tunnel: number, reached: Reached): void {
    this.#tunnels.set(tunnel, reached);
    const there = this.#at.get(reached.at) ?? new Set();
    this.#at.set(reached.at, there.add(tunnel));
  }
}

function keyOf(address: string, udpPort: number): string {
  return `${address} ${udpPort}`;
}

/** "no route to 10.0.9.9 (ENETUNREACH)"; what ICMP says is quoted as somebody's word. */
function describeObstacle({ remoteAddress: to, remotePort, errno, icmp }: Report): string {
  if (icmp === undefined) return `${describeRefusal(errno, to)} (${errno})`;
  switch (icmp.reason) {
    case "port":
      return `${icmp.reporter} says that nobody listens at UDP port ${remotePort} of ${to} (ICMP port unreachable)`;
    case "host":
      return `${icmp.reporter} says that the host ${to} is not there (ICMP host unreachable)`;
    case "network":
      return `${icmp.reporter} says that it has no route to ${to} (ICMP network unreachable)`;
    case "prohibited":
      return `${icmp.reporter} says that it lets nothing through to ${to} (ICMP administratively prohibited)`;
    case "expired":
      return `${icmp.reporter} says that what is sent to ${to} goes round in circles (ICMP time exceeded)`;
    case "other":
      return `${icmp.reporter} says by ICMP that ${to} is not reached (${errno})`;
  }
}

/** What the system means by not sending a datagram. */
function describeRefusal(errno: string, to: string): string {
  switch (errno) {
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return `no route to ${to}`;
    case "ENETDOWN":
      return `the interface towards ${to} is down`;
    case "EPERM":
      return `a packet filter of this host lets nothing out to ${to}`;
    case "EACCES":
      return `the routes of this host prohibit ${to}`;
    case "EADDRNOTAVAIL":
      return `this host has no address to send to ${to} from`;
    default:
      return `this host sends nothing to ${to}`;
  }
}
