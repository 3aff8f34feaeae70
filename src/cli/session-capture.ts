import { userInfo } from "node:os";
import { askCapture, type CaptureAnswer } from "../control/stream-client.ts";
import type { CaptureLegs, CaptureLimits } from "../gateway/capture-request.ts";
import type { CaptureSource } from "./capture-flow.ts";

export interface SessionCaptureRequest extends CaptureLimits {
  readonly session: string;
  readonly legs: CaptureLegs | undefined;
  /** This program's. */
  readonly version: string;
}

/** A capture that the gateway makes. */
export class SessionCapture implements CaptureSource {
  readonly #answer: CaptureAnswer;
  #problem = "the gateway has hung up";

  private constructor(answer: CaptureAnswer) {
    this.#answer = answer;
  }

  /** Rejects with a ControlError that says why there is none. */
  static async begin(socketPath: string, request: SessionCaptureRequest): Promise<SessionCapture> {
    const { session, legs, frames, octets, seconds, rate, snap, version } = request;
    const query = { leg: legs, frames, octets, seconds, rate, snap };
    const agent = `lacewing/${version} (${userInfo().username}, process ${process.pid})`;
    return new SessionCapture(await askCapture(socketPath, { session, query, agent }));
  }

  get octets(): AsyncIterable<Uint8Array> {
    return this.#answer.octets;
  }

  stop(reason: string): void {
    this.#answer.end(reason).catch((error: Error) => {
      // it may have ended meanwhile
      this.#problem = error.message;
    });
  }

  destroy(): void {
    this.#answer.octets.destroy();
  }

  async whyBroken(): Promise<string> {
    return this.#problem;
  }
}
