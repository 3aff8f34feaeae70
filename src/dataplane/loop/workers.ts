import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { DataplaneError } from "../../channel/errors.ts";
import type { Addon } from "../../io/addon.ts";
import type { WaitingMessage } from "../reorder.ts";
import type { LaneCommand, LaneSource, Reply, WorkerSetup } from "./messages.ts";
import { COMMANDS, controlOf, type Tables } from "./tables.ts";
import { workerUrl } from "./worker-url.ts";

interface Pending {
  readonly resolve: (waiting: readonly WaitingMessage[]) => void;
  readonly reject: (error: Error) => void;
}

/** What a worker tells that nobody asked for. */
export interface WorkerEvents {
  laneFailed(source: LaneSource, errno: number): void;
  /** The thread has ended: unless it was stopped, by a bug of ours. */
  died(error: Error): void;
}

/** What the control plane's side of a worker needs of the addon. */
type WorkerAddon = Pick<Addon, "openEvent" | "signal" | "close">;

/**
 * A process that exits without having closed its engine waits for the threads, and one that blocks in the addon can
 * only end by itself.
 */
const running = new Set<ForwardingWorker>();
process.on("exit", () => {
  for (const worker of running) worker.abandon();
});

/** One forwarding thread, as the control plane sees it. Commands are done in the order of the calls. */
export class ForwardingWorker {
  readonly #addon: WorkerAddon;
  readonly #tables: Tables;
  readonly #index: number;
  readonly #worker: Worker;
  readonly #commands: MessagePort;
  readonly #pending = new Map<number, Pending>();
  /** Ours, so that it outlives the thread: a number of the thread's could be somebody else's by the time we signal. */
  readonly #wakeFd: number;
  /** Resolves when the thread has ended, by itself or not, and WorkerEvents.died() has been told. */
  readonly exited: Promise<void>;
  #nextId = 1;
  #ended: DataplaneError | undefined;

  private constructor(
    addon: WorkerAddon,
    tables: Tables,
    setup: Omit<WorkerSetup, "wakeFd">,
    events: WorkerEvents,
  ) {
    const { port1, port2 } = new MessageChannel();
    const url = workerUrl();
    this.#addon = addon;
    this.#tables = tables;
    this.#index = setup.index;
    this.#commands = port1;
    this.#wakeFd = addon.openEvent();
    this.#worker = new Worker(url, {
      name: `lacewing-forward-${setup.index}`,
      workerData: { setup: { ...setup, wakeFd: this.#wakeFd }, commands: port2 },
      transferList: [port2],
    });
    this.#worker.on("message", (reply: Reply) => this.#hear(reply, events));
    this.#worker.on("error", (error: Error) => this.#end(this.#died(error)));
    running.add(this);
    this.exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        running.delete(this);
        this.#end(this.#ended ?? this.#died(new Error("the thread ended")));
        this.#commands.close();
        addon.close(this.#wakeFd);
        events.died(this.#ended!);
        resolve();
      });
    });
  }

  /** Resolves when the thread forwards; rejects when it has ended instead. */
  static async start(
    addon: WorkerAddon,
    tables: Tables,
    setup: Omit<WorkerSetup, "wakeFd">,
    events: WorkerEvents,
  ): Promise<ForwardingWorker> {
    const worker = new ForwardingWorker(addon, tables, setup, events);
    try {
      await new Promise((resolve, reject) => worker.#pending.set(0, { resolve, reject }));
    } catch (error) {
      await worker.exited;
      throw error;
    }
    return worker;
  }

  /**
   * Resolves when the command is done, to what waited of a lane that was released; rejects with what the worker threw,
   * or with a DataplaneError `worker-died` when it ends before.
   */
  command(command: LaneCommand): Promise<readonly WaitingMessage[]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId;
    const done = new Promise<readonly WaitingMessage[]>((resolve, reject) =>
      this.#pending.set(id, { resolve, reject }),
    );
    this.#post(command);
    return done;
  }

  /** The thread ends by itself, sooner or later: for who cannot wait for it. */
  abandon(): void {
    if (this.#ended === undefined) this.#post({ kind: "stop" });
  }

  /** Resolves when the thread has ended and everything it had is closed; commands before this are done. */
  async stop(): Promise<void> {
    if (this.#ended === undefined) {
      // from here on no command is taken that nobody would answer
      this.#ended = new DataplaneError("closed", "the data plane is closed");
      this.#post({ kind: "stop" });
    }
    await this.exited;
  }

  #post(command: LaneCommand): void {
    this.#commands.postMessage({ ...command, id: this.#nextId });
    this.#nextId += 1;
    Atomics.store(this.#tables.control, controlOf(this.#index, COMMANDS), 1);
    this.#addon.signal(this.#wakeFd);
  }

  #hear(reply: Reply, events: WorkerEvents): void {
    if (reply.kind === "lane-failed") {
      events.laneFailed(reply.source, reply.errno);
      return;
    }
    const id = reply.kind === "ready" ? 0 : reply.id;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (reply.kind === "done" && reply.error !== undefined) pending?.reject(reply.error);
    else pending?.resolve((reply.kind === "done" ? reply.waiting : undefined) ?? []);
  }

  #died(cause: Error): DataplaneError {
    return new DataplaneError("worker-died", `forwarding thread ${this.#index}: ${cause.message}`, { cause });
  }

  #end(reason: DataplaneError): void {
    this.#ended = reason;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}
