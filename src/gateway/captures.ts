import { Capture } from "./capture.ts";
import type { CaptureAsker, CaptureRequest, CaptureSink, OpenCapture } from "./capture-request.ts";
import type { EventBus, GatewayEvent } from "./events.ts";
import { OperationError } from "./operation-error.ts";
import type { CaptureView } from "./operations-views.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";

/** At one time: each may have two channels tapped, and some megaoctets waiting for its reader. */
export const MAX_CAPTURES = 8;

/** The captures that run. Nothing is listened to while there is none. */
export class Captures {
  readonly #sessions: () => Iterable<Session>;
  readonly #around: Surroundings;
  readonly #events: EventBus;
  readonly #running = new Set<Capture>();
  #count = 0;
  #leave: (() => void) | undefined;

  constructor(sessions: () => Iterable<Session>, around: Surroundings, events: EventBus) {
    this.#sessions = sessions;
    this.#around = around;
    this.#events = events;
  }

  /** Throws an OperationError. */
  start(request: CaptureRequest, sink: CaptureSink, asker: CaptureAsker): OpenCapture {
    const session = this.#session(request.session);
    if (this.#running.size >= MAX_CAPTURES)
      throw new OperationError("busy", `${MAX_CAPTURES} captures are under way`, "end one of them, or wait");
    const id = `c${this.#count + 1}`;
    const capture = new Capture({ id, session, request, sink, asker, around: this.#around });
    this.#count += 1;
    this.#running.add(capture);
    this.#leave ??= this.#events.subscribe(({ event }) => this.#happened(event));
    void capture.over.then(() => this.#over(capture));
    return capture;
  }

  views(): readonly CaptureView[] {
    return [...this.#running].map((capture) => capture.view());
  }

  /** Throws an OperationError. */
  end(id: string, reason: string): void {
    const capture = [...this.#running].find((each) => each.id === id);
    if (capture === undefined)
      throw new OperationError("no-such", `there is no capture ${id}`, "it may have ended");
    capture.end(reason);
  }

  async endAll(reason: string): Promise<void> {
    const running = [...this.#running];
    for (const capture of running) capture.end(reason);
    await Promise.all(running.map(({ over }) => over));
  }

  #session(id: string): Session {
    for (const session of this.#sessions()) if (session.id === id && !session.hasEnded) return session;
    throw new OperationError("no-such", `there is no session ${id}`, "it may have ended");
  }

  /** Told where things happen: the channels of a session that ends are still there. */
  #happened(event: GatewayEvent): void {
    if (event.kind !== "session-up" && event.kind !== "session-down") return;
    for (const capture of this.#running) {
      if (capture.session.id !== event.session) continue;
      if (event.kind === "session-up") capture.sessionUp();
      else capture.end(`the session has ended: ${event.reason}`);
    }
  }

  #over(capture: Capture): void {
    this.#running.delete(capture);
    if (this.#running.size > 0) return;
    this.#leave?.();
    this.#leave = undefined;
  }
}
