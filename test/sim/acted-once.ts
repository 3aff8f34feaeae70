import { readU16 } from "../../src/base/bytes.ts";
import { parseL2tp } from "../../src/wire/l2tp.ts";
import type { Referee } from "./invariants.ts";
import type { MachineCall } from "./replaceable.ts";

interface Output {
  readonly kind: string;
  readonly datagram?: Uint8Array;
  readonly to?: { readonly address: string };
  readonly tunnel?: number;
  readonly remoteTunnelId?: number;
  readonly remote?: { readonly address: string };
}

/** Offsets in a control message, which always has the L and S bits (RFC 2661 §3.1). */
const TUNNEL_ID = 4;
const NS = 8;
const NR = 10;

/**
 * A control message is acted on once (RFC 2661 §5.8): when it comes again after an L2tpEndpoint has acknowledged it,
 * it may be acknowledged again, and nothing else may come of it.
 */
export class ActedOnce {
  readonly #name: string;
  readonly #referee: Referee;
  /** The highest Nr that we have sent, by tunnel of ours. */
  readonly #acknowledged = new Map<number, number>();
  /** Our tunnel by the peer's address and id. */
  readonly #tunnels = new Map<string, number>();

  constructor(name: string, referee: Referee) {
    this.#name = name;
    this.#referee = referee;
  }

  called({ kind, method, args, returned }: MachineCall): void {
    if (kind !== "L2tpEndpoint") return;
    const outputs = outputsOf(returned);
    if (method === "receive") this.#received(args[2] as Uint8Array, outputs);
    for (const { kind: what, datagram, to, tunnel, remoteTunnelId, remote } of outputs) {
      if (what === "tunnel-up") this.#tunnels.set(`${remote?.address}/${remoteTunnelId}`, tunnel!);
      if (what !== "send" || datagram === undefined) continue;
      const ours = this.#tunnels.get(`${to?.address}/${readU16(datagram, TUNNEL_ID)}`);
      // no tunnel of a simulation lives long enough for its numbers to wrap
      if (ours !== undefined)
        this.#acknowledged.set(ours, Math.max(this.#acknowledged.get(ours) ?? 0, readU16(datagram, NR)));
    }
  }

  #received(datagram: Uint8Array, outputs: readonly Output[]): void {
    const packet = parseL2tp(datagram);
    if (typeof packet === "string" || packet.payload.length === 0) return;
    const { tunnelId } = packet.header;
    const ns = readU16(datagram, NS);
    // the Nr of a repeated message may acknowledge what that of the first could not
    const event = outputs.find(({ kind }) => kind !== "send" && kind !== "tunnel-answered");
    if (event !== undefined && ns < (this.#acknowledged.get(tunnelId) ?? 0))
      this.#referee.report(
        "a message is acted on once",
        `${this.#name}: Ns ${ns} in tunnel ${tunnelId}, acknowledged before, leads to ${event.kind}`,
      );
  }
}

function outputsOf(returned: unknown): readonly Output[] {
  if (Array.isArray(returned)) return returned as readonly Output[];
  const { outputs } = (returned ?? {}) as { outputs?: unknown };
  return Array.isArray(outputs) ? (outputs as readonly Output[]) : [];
}
