import type { IdPool } from "../../base/ids.ts";
import type { ChannelId, L2tpChannelSpec } from "../../channel/dataplane.ts";
import { numbers, tableFull, take } from "../numbers.ts";
import type { Grace } from "./grace.ts";
import { SESSION_PAGE, type Tables } from "./tables.ts";

/** Tunnel id → directory; directory and high octet of a session id → page; page and low octet → channel. */
type SessionTables = Pick<Tables, "tunnelDirectory" | "sessionDirectories" | "sessionPages">;

interface Page {
  readonly number: number;
  sessions: number;
}

/** Where a tunnel's sessions are, and how many there are in each page. */
interface Directory {
  readonly number: number;
  sessions: number;
  /** By the high octet of our session id. */
  readonly pages: Map<number, Page>;
}

/** The one writer of the directories and pages by which L2TP sessions are found. */
export class SessionTable {
  readonly #t: SessionTables;
  readonly #grace: Pick<Grace, "after">;
  readonly #directoryNumbers: IdPool;
  readonly #pageNumbers: IdPool;
  readonly #directories = new Map<number, Directory>();

  constructor(tables: SessionTables, grace: Pick<Grace, "after">) {
    this.#t = tables;
    this.#grace = grace;
    // the first of each means none
    this.#directoryNumbers = numbers(tables.sessionDirectories.length / SESSION_PAGE - 1);
    this.#pageNumbers = numbers(tables.sessionPages.length / SESSION_PAGE - 1);
  }

  /** Makes room for a session, or throws and changes nothing. publish() or remove() follows. */
  reserve({ localTunnelId, localSessionId }: L2tpChannelSpec): void {
    const high = localSessionId >>> 8;
    const known = this.#directories.get(localTunnelId);
    const page = known?.pages.get(high) ?? { number: take(this.#pageNumbers, "session pages"), sessions: 0 };
    const directory = known ?? this.#newDirectory(page);
    directory.sessions += 1;
    page.sessions += 1;
    directory.pages.set(high, page);
    this.#directories.set(localTunnelId, directory);
  }

  /** The session is found from now on. */
  publish({ localTunnelId, localSessionId }: L2tpChannelSpec, channel: ChannelId): void {
    const t = this.#t;
    const directory = this.#directories.get(localTunnelId)!;
    const high = localSessionId >>> 8;
    const page = directory.pages.get(high)!.number;
    Atomics.store(t.sessionPages, page * SESSION_PAGE + (localSessionId & 0xff), channel);
    Atomics.store(t.sessionDirectories, directory.number * SESSION_PAGE + high, page);
    Atomics.store(t.tunnelDirectory, localTunnelId, directory.number);
  }

  remove({ localTunnelId, localSessionId }: L2tpChannelSpec): void {
    const t = this.#t;
    const directory = this.#directories.get(localTunnelId)!;
    const high = localSessionId >>> 8;
    const page = directory.pages.get(high)!;
    Atomics.store(t.sessionPages, page.number * SESSION_PAGE + (localSessionId & 0xff), 0);
    directory.sessions -= 1;
    page.sessions -= 1;
    if (page.sessions === 0) {
      directory.pages.delete(high);
      Atomics.store(t.sessionDirectories, directory.number * SESSION_PAGE + high, 0);
      this.#grace.after(() => this.#pageNumbers.release(page.number));
    }
    if (directory.sessions === 0) {
      this.#directories.delete(localTunnelId);
      Atomics.store(t.tunnelDirectory, localTunnelId, 0);
      this.#grace.after(() => this.#directoryNumbers.release(directory.number));
    }
  }

  /** For a session whose page is `page`, which goes back when there is no room. */
  #newDirectory(page: Page): Directory {
    const number = this.#directoryNumbers.take();
    if (number === undefined) {
      this.#pageNumbers.release(page.number);
      throw tableFull("tunnels");
    }
    return { number, sessions: 0, pages: new Map() };
  }
}
