import type { PacketOptions } from "../../io/addon.ts";
import type { WaitingMessage } from "../reorder.ts";
import type { LoopOptions } from "./options.ts";
import type { TableSizes } from "./tables.ts";

/** What a worker is started with. */
export interface WorkerSetup {
  readonly index: number;
  readonly sizes: TableSizes;
  readonly tables: SharedArrayBuffer;
  readonly puntRing: SharedArrayBuffer;
  /** TapTable's, and the ring for what is tapped. */
  readonly taps: SharedArrayBuffer;
  readonly tapRing: SharedArrayBuffer;
  /** The control plane's eventfd: there are punts, or a grace period may be over. */
  readonly doorbell: number;
  /** The control plane's eventfd that ends the worker's wait: there are commands. */
  readonly wakeFd: number;
  readonly options: LoopOptions;
}

/** Where every worker sends: a queue of Transmitter for a port, by its number, or a unit. */
export type OutletKey =
  | { readonly kind: "packet" | "udp"; readonly lane: number }
  /** `segmentsUdp`: the kernel takes UDP super-segments. */
  | { readonly kind: "unit"; readonly unit: number; readonly segmentsUdp: boolean };

/** What one worker at a time receives from. */
export type LaneSource =
  | { readonly medium: "ethernet"; readonly port: number; readonly packet: PacketOptions }
  | { readonly medium: "udp"; readonly port: number }
  /** A socket that receives nothing but the errors of what it has sent. */
  | { readonly medium: "unchecked"; readonly port: number }
  | { readonly medium: "unit"; readonly unit: number };

/** `number`: this lane's alone as long as it is there. */
export type Lane = LaneSource & { readonly number: number; readonly fd: number };

/** What the control plane asks of a worker. Descriptors stay the control plane's. */
export type LaneCommand =
  | { readonly kind: "open-outlet"; readonly outlet: OutletKey; readonly fd: number }
  | { readonly kind: "close-outlet"; readonly outlet: OutletKey }
  /** Receive from a lane from now on. `waiting`: what came by it before and waits for earlier messages. */
  | { readonly kind: "adopt"; readonly lane: Lane; readonly waiting: readonly WaitingMessage[] }
  /** Let go of a lane, if it is there: everything received from it has been forwarded. */
  | { readonly kind: "release"; readonly lane: number }
  | { readonly kind: "stop" };

export type Command = LaneCommand & { readonly id: number };

/** What a worker says. */
export type Reply =
  /** The loop runs. */
  | { readonly kind: "ready" }
  /** `waiting`: of a lane that was released, what goes to the next worker. */
  | {
      readonly kind: "done";
      readonly id: number;
      readonly error?: Error;
      readonly waiting?: readonly WaitingMessage[];
    }
  /** Nothing can be received from a lane now: its device is down or gone. */
  | { readonly kind: "lane-failed"; readonly source: LaneSource; readonly errno: number };
