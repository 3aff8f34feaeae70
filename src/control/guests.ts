/**
 * Who is connected to a server. Who has not shown yet that he may ask is a stranger: he keeps nobody out, neither another
 * stranger nor who may ask.
 */

import type { Server, Socket } from "node:net";
import { type Failure, rawFailure } from "./failures.ts";

export interface GuestLimits {
  /** Connections at one time; a fourth of them may be streams of events. */
  readonly connections: number;
  /** Of them, those that strangers have from one address, but for who has only just come. */
  readonly strangersOfOneAddress: number;
  /** For so long somebody has only just come: what he sends has not been read yet, when many come at once. */
  readonly newcomerMs: number;
}

interface Guest {
  /** What words go to; undefined while TLS is not up, when there is nothing to say them with. */
  speaker: Socket | undefined;
  readonly socket: Socket;
  readonly address: string;
  readonly since: number;
}

const FULL: Failure = {
  status: 503,
  code: "busy",
  message: "as many are connected as may",
  headers: { "Retry-After": "10" },
};

const TOO_MANY_STRANGERS: Failure = {
  ...FULL,
  message: "too many connections on which nobody has shown a token",
};

export class Guests {
  readonly #limits: GuestLimits;
  /** By name(), which all forms of a connection have in common. */
  readonly #guests = new Map<string | Socket, Guest>();
  /** The oldest first. */
  readonly #strangers = new Set<Guest>();
  readonly #strangersByAddress = new Map<string, Set<Guest>>();

  /** `arrive`: how connections are when they come. With TLS they speak later, and are greeted() then. */
  constructor(
    server: Server,
    limits: GuestLimits,
    arrive: { readonly asStrangers: boolean; readonly byTls: boolean },
  ) {
    this.#limits = limits;
    server.on("connection", (socket: Socket) => this.#arrived(socket, arrive));
  }

  /** Its TLS is up. */
  greeted(socket: Socket): void {
    const guest = this.#guests.get(name(socket));
    if (guest !== undefined) guest.speaker = socket;
  }

  /** Who speaks on it has shown that he may ask. */
  recognised(socket: Socket): void {
    const guest = this.#guests.get(name(socket));
    if (guest !== undefined) this.#noStranger(guest);
  }

  /** Hangs up on all of them, whatever they are about. */
  dismiss(): void {
    for (const { socket } of this.#guests.values()) socket.destroy();
  }

  #arrived(socket: Socket, { asStrangers, byTls }: { asStrangers: boolean; byTls: boolean }): void {
    const guest: Guest = {
      socket,
      speaker: byTls ? undefined : socket,
      address: socket.remoteAddress ?? "",
      since: performance.now(),
    };
    if (this.#guests.size >= this.#limits.connections && !this.#turnOut(this.#strangers, FULL)) {
      hangUp(guest, FULL);
      return;
    }
    const key = name(socket);
    this.#guests.set(key, guest);
    socket.once("close", () => {
      // the same port of the same host may be somebody else's by now
      if (this.#guests.get(key) === guest) this.#guests.delete(key);
      this.#noStranger(guest);
    });
    if (!asStrangers) return;
    this.#strangers.add(guest);
    const ofAddress = this.#strangersByAddress.get(guest.address) ?? new Set();
    this.#strangersByAddress.set(guest.address, ofAddress.add(guest));
    const { strangersOfOneAddress: most, newcomerMs } = this.#limits;
    for (const { since } of ofAddress) {
      if (ofAddress.size <= most || since > guest.since - newcomerMs) return;
      this.#turnOut(ofAddress, TOO_MANY_STRANGERS);
    }
  }

  /** The one that has been there for longest has to go; false when there is none. */
  #turnOut(strangers: ReadonlySet<Guest>, why: Failure): boolean {
    const [oldest] = strangers;
    if (oldest === undefined) return false;
    this.#noStranger(oldest);
    this.#guests.delete(name(oldest.socket));
    hangUp(oldest, why);
    return true;
  }

  #noStranger(guest: Guest): void {
    this.#strangers.delete(guest);
    const ofAddress = this.#strangersByAddress.get(guest.address);
    ofAddress?.delete(guest);
    if (ofAddress?.size === 0) this.#strangersByAddress.delete(guest.address);
  }
}

/** A connection by TLS has a socket of its own above that of TCP. On a Unix socket there are no ports to tell them by. */
function name(socket: Socket): string | Socket {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined ? socket : `${remoteAddress} ${remotePort}`;
}

/** With a word, where no answer is under way that it would fall into. */
function hangUp({ socket, speaker }: Guest, why: Failure): void {
  if (speaker === undefined || speaker.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  speaker.write(rawFailure(why));
  speaker.destroySoon();
}
