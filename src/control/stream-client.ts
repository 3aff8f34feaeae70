import { type IncomingMessage, request } from "node:http";
import { CAPTURE_HEADER } from "./capture-header.ts";
import { type Ask, ask, failure, refusal, target } from "./client.ts";
import type { RefusedError } from "./control-error.ts";

const TIMEOUT_MS = 10_000;
/** No refusal is longer. */
const MAX_REFUSAL_BYTES = 16_384;

/** A capture as it comes from the gateway. */
export interface CaptureAnswer {
  /** pcapng, bit by bit; it ends with an error when the gateway hangs up in the middle. */
  readonly octets: IncomingMessage;
  /** Has the gateway end it: the rest comes, and the end. Rejects with a ControlError. */
  readonly end: (reason: string) => Promise<unknown>;
}

export interface CaptureAsk {
  readonly session: string;
  /** What is undefined is left out. */
  readonly query: NonNullable<Ask["query"]>;
  /** Who asks, for the gateway's log. */
  readonly agent: string;
}

/** Asks the gateway that listens on `socketPath` for a capture. Rejects with a ControlError that says what to do about it. */
export async function askCapture(
  socketPath: string,
  { session, query, agent }: CaptureAsk,
): Promise<CaptureAnswer> {
  const path = target(`/v1/sessions/${encodeURIComponent(session)}/capture`, query);
  const octets = await begin(socketPath, path, agent);
  if (octets.statusCode !== 200) throw await refused(socketPath, octets);
  octets.socket.setTimeout(0);
  const capture = octets.headers[CAPTURE_HEADER.toLowerCase()];
  return {
    octets,
    end: (reason) => ask(socketPath, { path: "/v1/captures/end", body: { capture, reason } }),
  };
}

function begin(socketPath: string, path: string, agent: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { "User-Agent": agent };
    const asked = request({ socketPath, path, agent: false, timeout: TIMEOUT_MS, headers }, resolve);
    asked.on("error", (error) => reject(failure(socketPath, error)));
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    asked.end();
  });
}

/** What the gateway says instead. */
async function refused(socketPath: string, response: IncomingMessage): Promise<RefusedError> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    text += chunk;
    if (text.length > MAX_REFUSAL_BYTES) break;
  }
  return refusal(socketPath, response.statusCode ?? 0, text);
}
