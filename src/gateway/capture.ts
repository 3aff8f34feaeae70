import { deferred } from "../base/deferred.ts";
import type { LogFields } from "../base/logger.ts";
import type { Timed } from "../base/scheduler.ts";
import { type Instant, NEVER } from "../base/time.ts";
import type { TappedFrame } from "../channel/dataplane.ts";
import { DataplaneError } from "../channel/errors.ts";
import { type CaptureLeg, legsToCapture } from "./capture-legs.ts";
import { CaptureRecorder } from "./capture-recorder.ts";
import type { CaptureAsker, CaptureRequest, CaptureSink, OpenCapture } from "./capture-request.ts";
import { OperationError } from "./operation-error.ts";
import type { CaptureView } from "./operations-views.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";

/** Frames of both legs are put in the order of their times before they are written: nobody sees that they wait. */
const GATHER_MS = 25;

type CaptureSurroundings = Pick<Surroundings, "clock" | "dataplane" | "journal" | "logger" | "scheduler">;

export interface CaptureParts {
  readonly id: string;
  readonly session: Session;
  readonly request: CaptureRequest;
  readonly sink: CaptureSink;
  readonly asker: CaptureAsker;
  readonly around: CaptureSurroundings;
}

/** The frames of one session, as they come and go, written for somebody. */
export class Capture implements Timed, OpenCapture {
  readonly id: string;
  readonly session: Session;
  /** Resolves when it is over and all is written. */
  readonly over: Promise<void>;
  readonly #request: CaptureRequest;
  readonly #by: string;
  readonly #around: CaptureSurroundings;
  readonly #recorder: CaptureRecorder;
  /** By the number of their interface. */
  readonly #legs: CaptureLeg[] = [];
  readonly #startedAt: number;
  readonly #endsAt: Instant;
  readonly #over = deferred();
  #flushAt = NEVER;
  #isEnding = false;
  /** Frames of each leg that the data plane has passed over, once its tap has ended. */
  #lost: number[] = [];

  /** Throws an OperationError when it cannot be; nothing has been written then. */
  constructor({ id, session, request, sink, asker, around }: CaptureParts) {
    this.id = id;
    this.session = session;
    this.over = this.#over.promise;
    this.#request = request;
    this.#by = asker.by;
    this.#around = around;
    this.#startedAt = around.clock.wallClock();
    this.#endsAt = around.clock.now() + 1000 * request.seconds;
    const legs = legsToCapture(session, request.legs);
    this.#tap(legs);
    const user = session.user === undefined ? "" : ` of ${session.user}`;
    this.#recorder = new CaptureRecorder(sink, request, {
      application: asker.application,
      comment: `Session ${session.id}${user}. There may be passwords in it.`,
    });
    for (const leg of legs) this.#add(leg);
    around.scheduler.update(this);
    around.journal.note("capture-begun", { session: session.number }, this.#legNames(), asker.by);
    around.logger.info({ ...this.#fields(), seconds: request.seconds }, "capture begun");
  }

  view(): CaptureView {
    const lost = this.#lostNow().reduce((sum, each) => sum + each, 0);
    return {
      id: this.id,
      session: this.session.id,
      user: this.session.user ?? null,
      legs: this.#legs.map(({ kind }) => kind),
      by: this.#by,
      startedAt: new Date(this.#startedAt).toISOString(),
      endsAt: new Date(this.#startedAt + 1000 * this.#request.seconds).toISOString(),
      frames: this.#recorder.frames,
      octets: this.#recorder.octets,
      passedOver: this.#recorder.passedOver + lost,
    };
  }

  /** Its session is open: it may have another leg than before. */
  sessionUp(): void {
    if (this.#isEnding) return;
    try {
      const known = this.#legs.map(({ channel }) => channel);
      const legs = legsToCapture(this.session, this.#request.legs);
      const more = legs.filter(({ channel }) => !known.includes(channel));
      this.#tap(more);
      for (const leg of more) this.#add(leg);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.end(error.message);
    }
  }

  end(reason: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#around.scheduler.remove(this);
    void this.#end(reason);
  }

  deadline(): Instant {
    return Math.min(this.#endsAt, this.#flushAt);
  }

  timeout(now: Instant): void {
    this.#flushAt = NEVER;
    this.#recorder.flush();
    const { limit } = this.#recorder;
    if (limit !== undefined) this.end(limit);
    else if (now >= this.#endsAt) this.end(`its time of ${this.#request.seconds} s is over`);
    else this.#around.scheduler.update(this);
  }

  #tap(legs: readonly CaptureLeg[]): void {
    const { dataplane } = this.#around;
    const { snap, rate } = this.#request;
    const tapped: CaptureLeg[] = [];
    try {
      for (const leg of legs) {
        dataplane.tap(leg.channel, { snapBytes: snap, octetsPerSecond: rate }, (frames) =>
          this.#take(leg, frames),
        );
        tapped.push(leg);
      }
    } catch (error) {
      for (const { channel } of tapped) void dataplane.untap(channel);
      if (!(error instanceof DataplaneError)) throw error;
      throw new OperationError("busy", error.message, "lacewing show captures tells what is captured");
    }
  }

  #add(leg: CaptureLeg): void {
    const { linkType, name, description } = leg;
    const spec = { linkType, name, description, snapBytes: this.#request.snap };
    this.#recorder.addInterface(spec, 1000 * this.#around.clock.wallClock());
    this.#legs.push(leg);
  }

  #take(leg: CaptureLeg, frames: readonly TappedFrame[]): void {
    const interfaceId = this.#legs.indexOf(leg);
    // another leg could not be tapped with it: this one's tap is ending
    if (interfaceId < 0) return;
    this.#recorder.take(interfaceId, frames);
    if (this.#isEnding) return;
    // not at once: the other leg's frames of the same time come in this turn, too
    const flushAt = this.#around.clock.now() + (this.#recorder.isFull ? 0 : GATHER_MS);
    if (flushAt >= this.#flushAt) return;
    this.#flushAt = flushAt;
    this.#around.scheduler.update(this);
  }

  /** As far as the taps are still there: one ends with its channel. */
  #lostNow(): number[] {
    const { dataplane } = this.#around;
    return this.#legs.map(({ channel }, i) => this.#lost[i] ?? dataplane.tapTotals(channel)?.passedOver ?? 0);
  }

  async #end(reason: string): Promise<void> {
    const { dataplane, clock, journal, logger } = this.#around;
    const taps = this.#legs.map(async ({ channel }, i) => {
      const totals = dataplane.tapTotals(channel) && (await dataplane.untap(channel));
      this.#lost[i] = totals?.passedOver ?? 0;
    });
    try {
      await Promise.all(taps);
    } catch (error) {
      logger.error(
        { ...this.#fields(), reason: (error as Error).message },
        "a capture could not be ended well",
      );
    }
    this.#recorder.end(reason, 1000 * clock.wallClock(), this.#lostNow());
    const { frames, octets, passedOver } = this.view();
    const seconds = Math.round((clock.wallClock() - this.#startedAt) / 1000);
    journal.note("capture-ended", { session: this.session.number }, String(frames), reason);
    logger.info({ ...this.#fields(), frames, octets, passedOver, seconds, reason }, "capture ended");
    this.#over.resolve();
  }

  #fields(): LogFields {
    const { id, user } = this.session;
    return { capture: this.id, session: id, user, legs: this.#legNames(), by: this.#by };
  }

  #legNames(): string {
    return this.#legs.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  }
}
