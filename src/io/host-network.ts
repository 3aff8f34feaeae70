import type { LinkEvent, LinkInfo } from "../wire/rtnetlink-link.ts";

/** What the gateway knows of the host's network: which links there are, and where packets would go. */
export interface HostNetwork {
  /** The link that has this name now. */
  linkByName(name: string): LinkInfo | undefined;
  /** Is this one of our addresses at this moment? */
  hasAddress(address: string): boolean;
  /** Largest outer packet towards `address`, as routes and devices say now; undefined when there is no route. */
  mtuTowards(address: string): number | undefined;
  /** The one receiver of what changes. Events come after linkByName() knows of them. */
  onLinkEvent(handler: (event: LinkEvent) => void): void;
  close(): void;
}

/** Links by ifindex, kept true by events. */
export class LinkTable {
  readonly #links = new Map<number, LinkInfo>();

  apply(event: LinkEvent): void {
    if (event.kind === "link") this.#links.set(event.link.ifindex, event.link);
    else this.#links.delete(event.ifindex);
  }

  get(ifindex: number): LinkInfo | undefined {
    return this.#links.get(ifindex);
  }

  byName(name: string): LinkInfo | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }
}
