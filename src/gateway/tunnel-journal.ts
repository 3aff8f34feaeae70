import type { Punt } from "../channel/dataplane.ts";
import type { Journal } from "../journal/journal.ts";
import type { L2tpOutput } from "../l2tp/outputs.ts";
import { controlTunnelId, notL2tpControl } from "../wire/l2tp-control-header.ts";
import type { TunnelPool } from "./tunnel-pool.ts";
import type { TunnelTable } from "./tunnel-table.ts";

/** Writes down which control messages come, by the tunnels that they are for. */
export class TunnelJournal {
  readonly #journal: Journal;
  readonly #table: TunnelTable;
  readonly #pool: TunnelPool;

  constructor(journal: Journal, table: TunnelTable, pool: TunnelPool) {
    this.#journal = journal;
    this.#table = table;
    this.#pool = pool;
  }

  /** `outputs`: what the endpoint makes of it, before anything of that is done. */
  received(
    { datagram, remoteAddress }: Extract<Punt, { kind: "control" }>,
    outputs: readonly L2tpOutput[],
  ): void {
    if (notL2tpControl(datagram) !== undefined) return;
    const named = controlTunnelId(datagram);
    if (named !== 0) {
      this.#journal.control(named, false, datagram, this.#isKnown(named, remoteAddress));
      return;
    }
    // what opens a tunnel does not know its id: the answer is sent in it
    const tunnel = outputs.find((output) => output.kind === "send")?.tunnel ?? 0;
    this.#journal.note("caller", { tunnel, stranger: true }, remoteAddress);
    this.#journal.control(tunnel, false, datagram, false);
  }

  /** Whether it comes from the peer of a tunnel that is up, or that we are opening. */
  #isKnown(tunnel: number, address: string): boolean {
    const up = this.#table.get(tunnel);
    return up === undefined ? this.#pool.isOurs(tunnel) : up.remote.address === address;
  }
}
