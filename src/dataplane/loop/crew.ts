import { DataplaneError } from "../../channel/errors.ts";
import type { Addon } from "../../io/addon.ts";
import { numbers, take } from "../numbers.ts";
import type { WaitingMessage } from "../reorder.ts";
import type { Grace } from "./grace.ts";
import type { LoopTaps } from "./loop-taps.ts";
import type { Lane, LaneCommand, LaneSource, OutletKey, WorkerSetup } from "./messages.ts";
import type { PuntDelivery } from "./punt-delivery.ts";
import { allocateRecordRing, RecordConsumer } from "./record-ring.ts";
import type { Tables } from "./tables.ts";
import { ForwardingWorker } from "./workers.ts";

/** Something that all workers send through: each through one of the descriptors, as many as there are. */
interface Outlet {
  readonly key: OutletKey;
  readonly fds: readonly number[];
}

/** A lane before it has a number. Lanes of one port or unit with successive shares go to different workers. */
export interface NewLane {
  readonly source: LaneSource;
  readonly fd: number;
  readonly share: number;
}

/** What a port or unit is to workers. */
export interface Opening {
  readonly outlets: readonly Outlet[];
  readonly lanes: readonly NewLane[];
}

/** A lane, and the worker that receives from it: none while it is handed over. */
interface KeptLane {
  readonly lane: Lane;
  readonly share: number;
  home: number | undefined;
}

/** An Opening that open() has opened. */
export interface Opened {
  readonly outlets: readonly Outlet[];
  readonly lanes: readonly KeptLane[];
  closed: boolean;
}

interface Member {
  readonly index: number;
  readonly worker: ForwardingWorker;
  /** Once the thread has died: settles when another one is in its place, or none will be. */
  successor: Promise<void> | undefined;
}

/** What the crew tells that nobody asked for. */
export interface CrewEvents {
  laneFailed(source: LaneSource, errno: number): void;
  /** A thread had ended by itself; another one has what was its. */
  restarted(reason: string): void;
  /** No other one is started any more: nothing may be forwarded. */
  down(reason: string): void;
}

type CrewSetup = Omit<WorkerSetup, "index" | "puntRing" | "taps" | "tapRing" | "wakeFd">;

/** More lanes than there can be. */
const MOST_LANES = 2 ** 24;

/**
 * The forwarding threads, and which of them receives from which lane. Lanes stay as long as their port or unit; when the
 * number of threads changes, or one has died, they are handed over between two batches, so that nothing is lost and
 * nothing overtakes.
 */
export class Crew {
  readonly #addon: Addon;
  readonly #tables: Tables;
  readonly #grace: Grace;
  readonly #punts: PuntDelivery;
  readonly #taps: LoopTaps;
  readonly #setup: CrewSetup;
  readonly #events: CrewEvents;
  readonly #clock: () => number;
  /** By index; those from `size` on are about to end. */
  readonly #members = new Map<number, Member>();
  /** By index, as many threads as there ever were: how often one has died. */
  readonly #diedTimes: number[] = [];
  readonly #openings = new Set<Opened>();
  readonly #numbers = numbers(MOST_LANES);
  /** When threads have died, not longer ago than counts. */
  #deaths: number[] = [];
  #size = 0;
  /** The last change of the number of threads. */
  #resizing: Promise<void> = Promise.resolve();
  #closed = false;

  /** `clock`: milliseconds, monotonic. */
  constructor(
    addon: Addon,
    tables: Tables,
    grace: Grace,
    punts: PuntDelivery,
    taps: LoopTaps,
    setup: CrewSetup,
    events: CrewEvents,
    clock: () => number,
  ) {
    this.#addon = addon;
    this.#tables = tables;
    this.#grace = grace;
    this.#punts = punts;
    this.#taps = taps;
    this.#setup = setup;
    this.#events = events;
    this.#clock = clock;
  }

  /** How many threads there are, or will be when the last resize() is done. */
  get size(): number {
    return this.#size;
  }

  /** How many threads there ever were at once, those that are starting included. */
  get everRan(): number {
    return this.#diedTimes.length;
  }

  /** By index, as many threads as there ever were: whether it forwards now, and how often it has died. */
  roll(): readonly { readonly running: boolean; readonly deaths: number }[] {
    return this.#diedTimes.map((deaths, index) => {
      const member = this.#members.get(index);
      return { running: member !== undefined && member.successor === undefined, deaths };
    });
  }

  /**
   * Changes the number of threads; resolves when it is so. Rejects, and leaves it as it was, when a thread cannot
   * start.
   */
  resize(size: number): Promise<void> {
    const most = this.#tables.sizes.workers;
    if (!Number.isInteger(size) || size < 1 || size > most)
      return Promise.reject(
        new DataplaneError(
          "bad-spec",
          `${size} workers are not 1 to ${most}, which there is room for since the start`,
        ),
      );
    const resized = this.#resizing.then(() => this.#resize(size));
    this.#resizing = resized.catch(() => {});
    return resized;
  }

  /** Resolves when all threads send through its outlets and each lane is received from; when it rejects nothing is. */
  async open({ outlets, lanes }: Opening): Promise<Opened> {
    const opened: Opened = {
      outlets,
      lanes: lanes.map(({ source, fd, share }) => ({
        lane: { ...source, fd, number: take(this.#numbers, "lanes") },
        share,
        home: share % this.#size,
      })),
      closed: false,
    };
    this.#openings.add(opened);
    const told = [...this.#members.values()].map((member) =>
      this.#tell(member, this.#commandsFor(opened, member)),
    );
    try {
      await everyOne(told);
    } catch (error) {
      await this.close(opened);
      throw error;
    }
    return opened;
  }

  /** Resolves when no thread uses any descriptor of it any more. */
  async close(opened: Opened): Promise<void> {
    opened.closed = true;
    this.#openings.delete(opened);
    const commands: LaneCommand[] = [
      ...opened.lanes.map(({ lane }) => ({ kind: "release", lane: lane.number }) as const),
      ...opened.outlets.map(({ key }) => ({ kind: "close-outlet", outlet: key }) as const),
    ];
    // a thread that has died has let go of everything
    await Promise.allSettled(
      [...this.#members.values()].flatMap(({ worker }) => commands.map((command) => worker.command(command))),
    );
    for (const { lane } of opened.lanes) this.#numbers.release(lane.number);
  }

  /** Ends all threads. */
  async end(): Promise<void> {
    this.#closed = true;
    await this.#resizing;
    for (const index of [...this.#members.keys()]) await this.#retire(index);
  }

  async #resize(size: number): Promise<void> {
    this.#checkOpen();
    const before = this.#size;
    const added = Array.from({ length: Math.max(0, size - before) }, (_, i) => before + i);
    try {
      await everyOne(added.map((index) => this.#start(index)));
      this.#checkOpen();
    } catch (error) {
      for (const index of added) await this.#retire(index);
      throw error;
    }
    try {
      await this.#spread(size);
    } catch (error) {
      try {
        await this.#spread(before);
      } finally {
        for (const index of added) await this.#retire(index);
      }
      throw error;
    }
    for (let index = size; index < before; index++) await this.#retire(index);
  }

  /** Hands lanes over until they are spread over so many threads. */
  async #spread(size: number): Promise<void> {
    this.#size = size;
    await everyOne(
      [...this.#openings].flatMap((opened) =>
        opened.lanes.map((kept) => this.#handOver(opened, kept, kept.share % size)),
      ),
    );
  }

  /** Starts a thread, and tells it of all that there is; resolves when it has done that. */
  async #start(index: number): Promise<void> {
    this.#diedTimes[index] ??= 0;
    const puntRing = allocateRecordRing(this.#setup.options.puntRingBytes);
    this.#punts.setRing(index, new RecordConsumer(puntRing));
    const tapRing = allocateRecordRing(this.#setup.options.tapRingBytes);
    this.#taps.setRing(index, new RecordConsumer(tapRing));
    this.#grace.begins(index);
    let member: Member | undefined;
    const died = (error: Error) => {
      this.#grace.ended(index);
      if (member !== undefined) this.#died(member, error);
    };
    const worker = await ForwardingWorker.start(
      this.#addon,
      this.#tables,
      { ...this.#setup, index, puntRing, taps: this.#taps.shared, tapRing },
      { laneFailed: (source, errno) => this.#events.laneFailed(source, errno), died },
    );
    member = { index, worker, successor: undefined };
    this.#members.set(index, member);
    const started = member;
    // in one go: what is opened after this is told to it by open()
    const told = [...this.#openings].map((opened) =>
      this.#order(started, this.#commandsFor(opened, started)),
    );
    await everyOne(told);
  }

  /** Ends a thread, if it has ever started, or the one that is about to take its place when it has died. */
  async #retire(index: number): Promise<void> {
    let member = this.#members.get(index);
    while (member?.successor !== undefined) {
      await member.successor.catch(() => {});
      const next = this.#members.get(index);
      if (next === member) break;
      member = next;
    }
    this.#members.delete(index);
    await member?.worker.stop();
    this.#grace.ended(index);
    this.#punts.removeRing(index);
    this.#taps.removeRing(index);
  }

  /** What a thread is to be told of an opening. */
  #commandsFor(opened: Opened, { index }: Member): LaneCommand[] {
    return [
      ...opened.outlets.map(({ key, fds }) => {
        return { kind: "open-outlet", outlet: key, fd: fds[index % fds.length]! } as const;
      }),
      ...opened.lanes
        .filter(({ home }) => home === index)
        .map(({ lane }) => ({ kind: "adopt", lane, waiting: [] }) as const),
    ];
  }

  /** Between two batches: what the one has received has been forwarded when the other begins. */
  async #handOver(opened: Opened, kept: KeptLane, to: number): Promise<void> {
    const from = kept.home;
    if (opened.closed || from === undefined || from === to) return;
    kept.home = undefined;
    const waiting = await this.#release(this.#members.get(from), kept.lane);
    // what it has punted comes before what the next one will punt
    this.#punts.drainAll();
    try {
      await this.#adopt(opened, kept, to, waiting);
    } catch (error) {
      // there is no room for its buffers, as there was where it came from
      await this.#adopt(opened, kept, from, waiting);
      throw error;
    }
  }

  async #adopt(
    opened: Opened,
    kept: KeptLane,
    to: number,
    waiting: readonly WaitingMessage[],
  ): Promise<void> {
    if (opened.closed) return;
    kept.home = to;
    const member = this.#members.get(to);
    if (member !== undefined) await this.#tell(member, [{ kind: "adopt", lane: kept.lane, waiting }]);
  }

  /** Of a thread that has died nothing waits any more. */
  async #release(member: Member | undefined, lane: Lane): Promise<readonly WaitingMessage[]> {
    try {
      return (await member?.worker.command({ kind: "release", lane: lane.number })) ?? [];
    } catch (error) {
      if (!isDeath(error)) throw error;
      return [];
    }
  }

  #order({ worker }: Member, commands: readonly LaneCommand[]): Promise<void> {
    return everyOne(commands.map((command) => worker.command(command)));
  }

  /** As #order; should the thread die, it is done when its successor has taken over, who is told everything. */
  async #tell(member: Member, commands: readonly LaneCommand[]): Promise<void> {
    try {
      await this.#order(member, commands);
    } catch (error) {
      if (!isDeath(error)) throw error;
      await successorOf(member);
    }
  }

  #died(member: Member, error: Error): void {
    if (this.#members.get(member.index) !== member || member.successor !== undefined) return;
    this.#diedTimes[member.index]! += 1;
    member.successor = this.#closed ? Promise.resolve() : this.#replace(member, error);
    // who waits for it hears of it; nobody may
    member.successor.catch(() => {});
  }

  async #replace(member: Member, error: Error): Promise<void> {
    for (;;) {
      if (!this.#mayRestart()) {
        this.#events.down(error.message);
        throw error;
      }
      try {
        await this.#start(member.index);
        break;
      } catch (failure) {
        // it is in its place, and has died of what it was told: its own successor is on the way
        const next = this.#members.get(member.index);
        if (next !== undefined && next !== member && isDeath(failure)) return successorOf(next);
        if (!isDeath(failure)) {
          this.#events.down(`${error.message}; and its successor: ${(failure as Error).message}`);
          throw failure;
        }
      }
    }
    this.#events.restarted(error.message);
  }

  #mayRestart(): boolean {
    const { most, withinMs } = this.#setup.options.workerRestarts;
    const now = this.#clock();
    this.#deaths = [...this.#deaths.filter((at) => now - at < withinMs), now];
    return !this.#closed && this.#deaths.length <= most;
  }

  #checkOpen(): void {
    if (this.#closed) throw new DataplaneError("closed", "the data plane is closed");
  }
}

/** Of a thread that has died: what becomes of it is known when it has ended. */
async function successorOf(member: Member): Promise<void> {
  await member.worker.exited;
  await member.successor;
}

function isDeath(error: unknown): boolean {
  return error instanceof DataplaneError && error.code === "worker-died";
}

/** Resolves or rejects when all have done either, with the first failure: nothing of them is under way any more. */
async function everyOne(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises))
    if (result.status === "rejected") throw result.reason;
}
