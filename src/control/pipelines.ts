import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Requests that wait for their answers, by connection. Whoever says that he closes a connection "MUST NOT process any
 * further requests received on that connection" (RFC 9112 §9.6), and of those that come at once, he may say so too late.
 */
export class Pipelines {
  readonly #waiting = new WeakMap<Socket, number>();

  /** Whether an earlier request of its connection is not answered yet, or was the last that is. */
  isAhead({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const waiting = this.#waiting.get(socket) ?? 0;
    this.#waiting.set(socket, waiting + 1);
    response.once("close", () => this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1));
    return waiting > 0 || socket.writableEnded;
  }
}
