import type { LinkEvent, LinkInfo } from "../wire/rtnetlink-link.ts";

/** Prefixes ("198.51.100.0/24") that are to be routed to a device, or are not any more. */
export interface RouteChange {
  readonly device: string;
  /** The named network namespace that the device is in; ours when absent. */
  readonly netns?: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What the gateway knows of the host's network: which links there are, and where packets would go. */
export interface HostNetwork {
  /** The link that has this name now. */
  linkByName(name: string): LinkInfo | undefined;
  /**
   * Does the system take packets to `address` for its own at this moment? `device`: who asks is bound to it. Costs one
   * question to the kernel, however many addresses there are.
   */
  hasAddress(address: string, device?: string): boolean;
  /** What the link of this name runs at, bit/s; undefined when its driver does not say, or it is down. */
  speedOf(name: string): number | undefined;
  /** Largest outer packet towards `address`, as routes and devices say now; undefined when there is no route. */
  mtuTowards(address: string): number | undefined;
  /** Changes what is routed to a device of ours. Rejects with a LacewingError when the system refuses. */
  changeRoutes(change: RouteChange): Promise<void>;
  /** Resolves when devices can be made in a named network namespace; rejects with a LacewingError that says what to do. */
  checkNamespace(netns: string): Promise<void>;
  /** The one receiver of what changes. Events come after linkByName() knows of them. */
  onLinkEvent(handler: (event: LinkEvent) => void): void;
  close(): void;
}

/** Links by ifindex and by name, kept true by events. */
export class LinkTable {
  readonly #links = new Map<number, LinkInfo>();
  readonly #byName = new Map<string, LinkInfo>();

  apply(event: LinkEvent): void {
    const ifindex = event.kind === "link" ? event.link.ifindex : event.ifindex;
    const before = this.#links.get(ifindex);
    if (before !== undefined && this.#byName.get(before.name) === before) this.#byName.delete(before.name);
    this.#links.delete(ifindex);
    if (event.kind !== "link") return;
    this.#links.set(ifindex, event.link);
    this.#byName.set(event.link.name, event.link);
  }

  /** What must have happened for the links to be `links` now. */
  difference(links: readonly LinkInfo[]): readonly LinkEvent[] {
    const there = new Set(links.map(({ ifindex }) => ifindex));
    const gone = [...this.#links.values()].filter(({ ifindex }) => !there.has(ifindex));
    return [
      ...gone.map(({ ifindex, name }): LinkEvent => ({ kind: "gone", ifindex, name })),
      ...links.map((link): LinkEvent => ({ kind: "link", link })),
    ];
  }

  get(ifindex: number): LinkInfo | undefined {
    return this.#links.get(ifindex);
  }

  byName(name: string): LinkInfo | undefined {
    return this.#byName.get(name);
  }
}
