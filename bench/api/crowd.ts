/**
 * Everybody who wants something of an API, one process in the LAC's namespace: those who may ask, a thousand who listen to
 * events, and those who are only a nuisance. Its parent speaks with it by messages: CrowdRequest and CrowdAnswer.
 */
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { EVENTS_PATH, HABITS, type Habit } from "./asked.ts";
import type { ApiPlace } from "./places.ts";
import { type Nuisance, rabble } from "./rabble.ts";

export type CrowdRequest = { readonly kind: "begin"; readonly place: ApiPlace } | { readonly kind: "end" };

export type CrowdAnswer =
  | { readonly kind: "ready" }
  /** Everybody who wants to listen to events has been answered once. */
  | { readonly kind: "begun" }
  | ({ readonly kind: "ended" } & CrowdReport);

/** What a crowd has got, from begin to end. */
export interface CrowdReport {
  /** Answers to those who may ask, as soon as they can be had. */
  readonly answered: number;
  /** Times that they were refused, or hung up on. */
  readonly denied: number;
  readonly answerMs: { readonly p50: number; readonly p99: number };
  /** Connections of all others that were refused or hung up on. */
  readonly refused: number;
  /** What of others' was answered as if they might ask: must be nothing. */
  readonly let: number;
  readonly listeners: number;
  /** Octets of events that each of them has got. */
  readonly eventOctets: number;
}

const LISTENERS = 1000;
/** They come in groups: a backlog of connections that are not accepted yet is a finite one. */
const GROUP = 50;
const GROUP_MS = 10;
/** Who may not listen tries again, as he is told to. */
const AGAIN_MS = 10_000;

class Crowd {
  readonly #place: ApiPlace;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #answerMs: number[] = [];
  #denied = 0;
  #refused = 0;
  #let = 0;
  #eventOctets = 0;
  #heard = 0;
  #listening = 0;
  #allHeard: () => void = () => {};
  #isOver = false;

  constructor(place: ApiPlace) {
    this.#place = place;
  }

  /** Resolves when all who want to listen have been heard once. */
  async begin(): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#allHeard = resolve;
    });
    for (let begun = 0; begun < LISTENERS; begun += GROUP) {
      for (let i = 0; i < GROUP; i += 1) this.#listen(begun + i);
      await new Promise((resolve) => setTimeout(resolve, GROUP_MS));
    }
    await heard;
    HABITS.forEach((habit, i) => {
      // not all of them in one moment
      const offset = (habit.everyMs * ((i * 7) % HABITS.length)) / HABITS.length;
      this.#after(offset, () => this.#every(habit.everyMs, () => this.#ask(habit)));
    });
    for (const nuisance of rabble(this.#place)) this.#annoy(nuisance);
  }

  end(): CrowdReport {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const listeners = this.#listening;
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    const sorted = this.#answerMs.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return {
      answered: sorted.length,
      denied: this.#denied,
      answerMs: { p50: at(0.5), p99: at(0.99) },
      refused: this.#refused,
      let: this.#let,
      listeners,
      eventOctets: this.#eventOctets / Math.max(1, listeners),
    };
  }

  #ask({ path, asCommand = false, takesItsTime = false }: Habit): void {
    const { socket, port, token } = this.#place;
    const where = asCommand
      ? { socketPath: socket, agent: false }
      : { port, host: "127.0.0.1", agent: this.#agent, headers: { Authorization: `Bearer ${token}` } };
    const begun = performance.now();
    const asked = request({ ...where, path }, (response) => {
      response.resume().on("error", () => {});
      response.on("end", () => {
        if (response.statusCode !== 200) this.#denied += 1;
        else if (!takesItsTime) this.#answerMs.push(performance.now() - begun);
      });
    });
    asked.on("socket", (its) => this.#sockets.add(its));
    asked.on("error", () => {
      this.#denied += 1;
    });
    asked.end();
  }

  #listen(number: number): void {
    const { port, token } = this.#place;
    const socket = this.#connect(port);
    let status = "";
    socket.once("connect", () =>
      socket.write(
        `GET ${EVENTS_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      ),
    );
    socket.on("data", (chunk) => {
      if (status === "") {
        status = chunk.toString("latin1", 9, 12);
        if (status === "200") this.#listening += 1;
        this.#hear();
      } else if (status === "200") this.#eventOctets += chunk.length;
    });
    socket.once("close", () => {
      if (status === "200") this.#listening -= 1;
      else this.#refused += 1;
      if (status === "") this.#hear();
      const spread = (number / LISTENERS) * AGAIN_MS;
      this.#after((AGAIN_MS + spread) / 2, () => this.#listen(number));
    });
  }

  #hear(): void {
    this.#heard += 1;
    if (this.#heard === LISTENERS) this.#allHeard();
  }

  #annoy(nuisance: Nuisance): void {
    let number = 0;
    let now = 0;
    this.#every(1000 / nuisance.perSecond, () => {
      if (now >= (nuisance.atOnce ?? Number.POSITIVE_INFINITY)) return;
      now += 1;
      number += 1;
      this.#send(nuisance, nuisance.text(number), () => {
        now -= 1;
      });
    });
  }

  #send({ dribbleMs }: Nuisance, text: string, done: () => void): void {
    const socket = this.#connect(this.#place.port);
    let isAnswered = false;
    let dribble: NodeJS.Timeout | undefined;
    socket.once("connect", () => {
      if (dribbleMs === undefined) {
        socket.write(text, "latin1");
        return;
      }
      let sent = 0;
      dribble = this.#every(dribbleMs, () => {
        if (socket.writable && sent < text.length) socket.write(text[sent++]!);
      });
    });
    socket.on("data", (chunk) => {
      if (isAnswered) return;
      isAnswered = true;
      if (chunk.toString("latin1", 9, 10) === "2") this.#let += 1;
    });
    socket.once("close", () => {
      clearInterval(dribble);
      this.#refused += 1;
      done();
    });
  }

  #connect(port: number): Socket {
    const socket = connect({ port, host: "127.0.0.1" });
    this.#sockets.add(socket);
    // who is refused is so by a reset, too
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }

  #every(milliseconds: number, act: () => void): NodeJS.Timeout {
    const timer = setInterval(act, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  #after(milliseconds: number, act: () => void): void {
    if (this.#isOver) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, milliseconds);
    this.#timers.add(timer);
  }
}

function tell(answer: CrowdAnswer): void {
  process.send?.(answer);
}

let crowd: Crowd | undefined;
process.on("message", (message: CrowdRequest) => {
  if (message.kind === "begin") {
    crowd = new Crowd(message.place);
    void crowd.begin().then(() => tell({ kind: "begun" }));
  } else {
    const report = crowd?.end();
    crowd = undefined;
    if (report !== undefined) tell({ kind: "ended", ...report });
  }
});
process.on("disconnect", () => process.exit());
tell({ kind: "ready" });
