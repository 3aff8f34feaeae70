import type { PacketOptions } from "../../io/addon.ts";
import type { LoopOptions } from "./options.ts";
import type { TableSizes } from "./tables.ts";

/** What a worker is started with. */
export interface WorkerSetup {
  readonly index: number;
  readonly sizes: TableSizes;
  readonly tables: SharedArrayBuffer;
  readonly puntRing: SharedArrayBuffer;
  /** The control plane's eventfd: there are punts, or a grace period may be over. */
  readonly doorbell: number;
  /** The control plane's eventfd that ends the worker's wait: there are commands. */
  readonly wakeFd: number;
  readonly options: LoopOptions;
}

/**
 * What the control plane asks of a worker. Descriptors stay the control plane's. Every worker sends through every
 * lane; `receives` says whether this one receives from it, too.
 */
export type LaneCommand =
  | {
      readonly kind: "adopt-ethernet";
      readonly port: number;
      readonly fd: number;
      readonly receives: boolean;
      readonly packet: PacketOptions;
    }
  | { readonly kind: "adopt-udp"; readonly port: number; readonly fd: number; readonly receives: boolean }
  /** The socket for peers without UDP checksums. */
  | {
      readonly kind: "adopt-unchecked";
      readonly port: number;
      readonly fd: number;
      readonly receives: boolean;
    }
  | {
      readonly kind: "adopt-unit";
      readonly unit: number;
      readonly fd: number;
      readonly receives: boolean;
      /** The kernel takes UDP super-segments. */
      readonly segmentsUdp: boolean;
    }
  | { readonly kind: "drop-port"; readonly port: number }
  | { readonly kind: "drop-unit"; readonly unit: number }
  | { readonly kind: "stop" };

export type Command = LaneCommand & { readonly id: number };

/** What a worker says. */
export type Reply =
  /** The loop runs. */
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly id: number; readonly error?: Error }
  /** Nothing can be received from a lane now: its device is down or gone. */
  | { readonly kind: "lane-failed"; readonly lane: number; readonly errno: number };
