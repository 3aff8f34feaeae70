/**
 * A password or shared secret. It shows itself nowhere: not in a message, not in JSON, not in a log line, not
 * in a stack trace's inspection. Who needs it asks for its octets.
 */
export class Secret {
  readonly #octets: Uint8Array;

  /** `octets`: as they go into a hash or a packet; text is taken as UTF-8. */
  constructor(octets: Uint8Array | string) {
    this.#octets = typeof octets === "string" ? new TextEncoder().encode(octets) : octets.slice();
  }

  /** A copy of the secret itself: never log it, never keep it for longer than needed. */
  octets(): Uint8Array {
    return this.#octets.slice();
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  /** What console.log and assertion messages print. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}
