import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { equalBytes } from "../base/bytes.ts";
import type { Logger } from "../base/logger.ts";
import type { Secret } from "../base/secret.ts";
import type { ListenAddress, Listener } from "./listeners.ts";

/** How long until an address is tried again that the host does not have yet. */
const RETRY_MS = 1000;

interface Served {
  readonly as: ListenAddress;
  /** Aborted when the address is not to be served any more. */
  readonly ended: AbortController;
  /** Undefined while the host does not have the address. */
  listener?: Listener;
}

/** Where the HTTP API is spoken beside its socket, as the configuration says from time to time. */
export class ControlAddresses {
  readonly #open: (address: ListenAddress) => Promise<Listener>;
  readonly #logger: Logger;
  readonly #served = new Map<string, Served>();

  /** `open` rejects with a ControlError whose cause has the system's code. */
  constructor(open: (address: ListenAddress) => Promise<Listener>, logger: Logger) {
    this.#open = open;
    this.#logger = logger;
  }

  /** Rejects when one cannot be opened. One that the host does not have yet is no reason to: it is served on when it comes. */
  async start(addresses: readonly ListenAddress[]): Promise<void> {
    for (const address of addresses) await this.#serve(address);
  }

  /**
   * Goes on with these: who is connected to one that is not among them any more, or that has another token or other certificates,
   * is hung up on. Returns what could not be done.
   */
  async reconfigure(addresses: readonly ListenAddress[]): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const [where, served] of this.#served) {
      const next = addresses.find((each) => whereOf(each) === where);
      if (next !== undefined && isSame(served.as, next)) continue;
      this.#served.delete(where);
      served.ended.abort();
      served.listener?.retire();
      const { address, port } = served.as;
      if (next === undefined) this.#logger.info({ address, port }, "HTTP API closed");
    }
    for (const address of addresses.filter((each) => !this.#served.has(whereOf(each)))) {
      try {
        await this.#serve(address);
      } catch (error) {
        problems.push(`control.listen: ${(error as Error).message}`);
      }
    }
    return problems;
  }

  async close(): Promise<void> {
    const all = [...this.#served.values()];
    for (const { ended } of all) ended.abort();
    await Promise.all(all.map(({ listener }) => listener?.close()));
  }

  async #serve(as: ListenAddress): Promise<void> {
    const { address, port } = as;
    const served: Served = { as, ended: new AbortController() };
    if (!(await this.#attempt(served))) {
      this.#logger.warn({ address, port }, "the address of the HTTP API is not there yet; waiting for it");
      void this.#await(served);
    }
    this.#served.set(whereOf(as), served);
  }

  async #await(served: Served): Promise<void> {
    const { as, ended } = served;
    let isDone = false;
    let told = "";
    while (!isDone) {
      await delay(RETRY_MS, undefined, { ref: false });
      try {
        isDone = ended.signal.aborted || (await this.#attempt(served));
      } catch (error) {
        // somebody else has the port there, and may give it back
        const { address, port } = as;
        const reason = (error as Error).message;
        if (reason !== told) this.#logger.error({ address, port, reason }, "control address failed");
        told = reason;
      }
    }
  }

  /** Whether there is nothing more to be done; false when the host does not have the address. */
  async #attempt(served: Served): Promise<boolean> {
    const { as, ended } = served;
    try {
      served.listener = await this.#open(as);
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      if (code === "EADDRNOTAVAIL") return false;
      throw error;
    }
    if (ended.signal.aborted) served.listener.retire();
    else this.#logger.info({ address: as.address, port: as.port }, "HTTP API open");
    return true;
  }
}

function whereOf({ address, port }: ListenAddress): string {
  return `${address} ${port}`;
}

/** Whether they are proved by the same, both ways. */
function isSame(a: ListenAddress, b: ListenAddress): boolean {
  const { key: keyA, ...restA } = a.certificates ?? { key: undefined };
  const { key: keyB, ...restB } = b.certificates ?? { key: undefined };
  return isSameSecret(a.token, b.token) && isSameSecret(keyA, keyB) && isDeepStrictEqual(restA, restB);
}

function isSameSecret(a: Secret | undefined, b: Secret | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a.octets(), b.octets());
}
