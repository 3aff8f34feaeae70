import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { DataplaneError } from "../../channel/errors.ts";
import type { Addon } from "../../io/addon.ts";
import type { LaneCommand, Reply, WorkerSetup } from "./messages.ts";
import { COMMANDS, controlOf, type Tables } from "./tables.ts";
import { workerUrl } from "./worker-url.ts";

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What a worker tells that nobody asked for. */
export interface WorkerEvents {
  laneFailed(lane: number, errno: number): void;
  /** The thread ended though nobody stopped it: a bug of ours. */
  died(error: Error): void;
}

/** One forwarding thread, as the control plane sees it. Commands are done in the order of the calls. */
export class ForwardingWorker {
  readonly #addon: Pick<Addon, "signal">;
  readonly #tables: Tables;
  readonly #index: number;
  readonly #worker: Worker;
  readonly #commands: MessagePort;
  readonly #pending = new Map<number, Pending>();
  #wakeFd = -1;
  #nextId = 1;
  #ended: DataplaneError | undefined;

  private constructor(
    addon: Pick<Addon, "signal">,
    tables: Tables,
    setup: WorkerSetup,
    events: WorkerEvents,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#addon = addon;
    this.#tables = tables;
    this.#index = setup.index;
    this.#commands = port1;
    this.#worker = new Worker(workerUrl(), {
      name: `lacewing-forward-${setup.index}`,
      workerData: { setup, commands: port2 },
      transferList: [port2],
    });
    this.#worker.on("message", (reply: Reply) => this.#hear(reply, events));
    this.#worker.on("error", (error: Error) => this.#end(error));
    this.#worker.on("exit", () => {
      if (this.#ended === undefined) this.#end(new Error("the thread ended"));
      this.#commands.close();
      events.died(this.#ended!);
    });
  }

  /** Resolves when the thread forwards. */
  static async start(
    addon: Pick<Addon, "signal">,
    tables: Tables,
    setup: WorkerSetup,
    events: WorkerEvents,
  ): Promise<ForwardingWorker> {
    const worker = new ForwardingWorker(addon, tables, setup, events);
    await new Promise<void>((resolve, reject) => worker.#pending.set(0, { resolve, reject }));
    return worker;
  }

  /** Resolves when the command is done; rejects with what the worker threw, or when it ends before. */
  command(command: LaneCommand): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId;
    this.#nextId += 1;
    const done = new Promise<void>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#commands.postMessage({ ...command, id });
    Atomics.store(this.#tables.control, controlOf(this.#index, COMMANDS), 1);
    this.#addon.signal(this.#wakeFd);
    return done;
  }

  /** Resolves when the thread has ended and everything it had is closed. */
  async stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    const exit = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    await this.command({ kind: "stop" });
    this.#ended = new DataplaneError("closed", "the data plane is closed");
    await exit;
  }

  #hear(reply: Reply, events: WorkerEvents): void {
    if (reply.kind === "lane-failed") {
      events.laneFailed(reply.lane, reply.errno);
      return;
    }
    if (reply.kind === "ready") this.#wakeFd = reply.wakeFd;
    const id = reply.kind === "ready" ? 0 : reply.id;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (reply.kind === "done" && reply.error !== undefined) pending?.reject(reply.error);
    else pending?.resolve();
  }

  #end(cause: Error): void {
    this.#ended = new DataplaneError("worker-died", `forwarding thread ${this.#index}: ${cause.message}`, {
      cause,
    });
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}
