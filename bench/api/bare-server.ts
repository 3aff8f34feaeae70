/**
 * A server that answers like a gateway's API, octet for octet in number, and has nothing else to do: what it would cost at
 * the least to answer all those who ask. In a process of its own. Its parent speaks with it by messages: BareRequest and BareAnswer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { MAX_STREAMS } from "../../src/control/event-streams.ts";
import { Guests } from "../../src/control/guests.ts";
import { LISTENER_LIMITS } from "../../src/control/listeners.ts";
import { EVENTS_PATH } from "./asked.ts";
import type { FixedAnswer } from "./places.ts";

export type BareRequest =
  /** By paths with their queries. */
  | { readonly kind: "answers"; readonly answers: Readonly<Record<string, FixedAnswer>> }
  /** Events of so many octets, to each who listens, in so long. */
  | { readonly kind: "tell"; readonly octets: number; readonly milliseconds: number };

type BareAnswer = { readonly kind: "ready" } | { readonly kind: "done" };

const [socketPath = "", port = "", token = ""] = process.argv.slice(2);
/** As the gateway gathers events. */
const TELL_EVERY_MS = 100;

const refusal = (status: number): FixedAnswer => ({
  status,
  headers: { "Content-Type": "application/json", Connection: "close" },
  body: `${JSON.stringify({ error: { code: "refused", message: "x".repeat(80) } })}\n`,
});
const UNAUTHORIZED = refusal(401);
const NOT_FOUND = refusal(404);
const BUSY = refusal(503);

const listeners = new Set<ServerResponse>();
let answers: Readonly<Record<string, FixedAnswer>> = {};

function send(response: ServerResponse, { status, headers, body }: FixedAnswer): void {
  response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

function listen(response: ServerResponse): void {
  if (listeners.size >= MAX_STREAMS) {
    send(response, BUSY);
    return;
  }
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.write(": events\n\n");
  response.once("close", () => listeners.delete(response));
  listeners.add(response);
}

function answer({ url = "" }: IncomingMessage, response: ServerResponse): void {
  if (url === EVENTS_PATH) listen(response);
  else send(response, answers[url] ?? NOT_FOUND);
}

/** With what the gateway's own has: who comes first and who has to go are the same. */
function serve(isStranger: boolean): Server {
  const server = createServer({ maxHeaderSize: 8192 }, (request, response) => {
    if (isStranger && request.headers.authorization !== `Bearer ${token}`) {
      send(response, UNAUTHORIZED);
      return;
    }
    guests.recognised(request.socket);
    answer(request, response);
  });
  const guests: Guests = new Guests(server, LISTENER_LIMITS, { asStrangers: isStranger, byTls: false });
  return server;
}

/** Octets to each listener, spread over the time. */
async function tell(octets: number, milliseconds: number): Promise<void> {
  const times = Math.ceil(milliseconds / TELL_EVERY_MS);
  const text = Buffer.alloc(Math.ceil(octets / times), "x");
  for (let i = 0; i < times; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, TELL_EVERY_MS));
    if (text.length > 0) for (const listener of listeners) listener.write(text);
  }
}

function report(message: BareAnswer): void {
  process.send?.(message);
}

process.on("message", (message: BareRequest) => {
  if (message.kind === "answers") {
    answers = message.answers;
    report({ kind: "done" });
  } else void tell(message.octets, message.milliseconds).then(() => report({ kind: "done" }));
});
process.on("disconnect", () => process.exit());
serve(false).listen(socketPath, () =>
  serve(true).listen(Number(port), "127.0.0.1", () => report({ kind: "ready" })),
);
