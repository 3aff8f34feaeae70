/** What happens in the gateway, as it happens; the last of it is kept to be shown. */

import type { GatewayEvent } from "../../../src/gateway/events.ts";
import { headersWithToken, unauthorized } from "./api.ts";
import { backOffMs } from "./back-off.ts";
import { pause, seen } from "./poll.ts";
import { EventReader, type ServerSentEvent } from "./sse.ts";
import { Store } from "./store.ts";

export type ToldEvent = GatewayEvent & { readonly at: string; readonly key: string };

const KEPT = 60;
/** With a thousand events a second the list is still drawn twice. */
const GATHER_MS = 500;

/** Newest first. */
export const latestEvents = new Store<readonly ToldEvent[]>([]);

const KINDS: ReadonlySet<string> = new Set<GatewayEvent["kind"]>([
  "session-up",
  "session-down",
  "tunnel-up",
  "tunnel-down",
  "tunnel-not-answering",
  "tunnel-answers",
  "tunnel-refused",
  "call-down",
  "lns-locked-out",
  "lns-back",
]);

/** Listens until `signal`; comes back by itself, where it was lost. EventSource cannot send a token. */
export async function listenToEvents(signal: AbortSignal): Promise<void> {
  let failures = 0;
  let lastId: string | undefined;
  const gathered: ToldEvent[] = [];
  const timer = setInterval(() => {
    if (gathered.length === 0) return;
    latestEvents.set([...gathered.splice(0).reverse(), ...latestEvents.value].slice(0, KEPT));
  }, GATHER_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  while (!signal.aborted) {
    await seen(signal);
    // browsers have few connections to one host for all of their tabs: those that nobody sees shall not hold them
    const look = new Look(signal);
    try {
      for await (const event of stream(lastId, look.signal)) {
        failures = 0;
        lastId = event.id ?? lastId;
        const told = eventOf(event);
        if (told !== undefined) gathered.push(told);
        if (gathered.length > KEPT) gathered.shift();
      }
    } catch (error) {
      // the network's failures; anything else is a bug of ours, and the console is to know it
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    } finally {
      look.end();
    }
    failures += 1;
    if (!document.hidden) await pause(backOffMs(failures), signal);
  }
}

/** The time until the page is not seen any more, or `outer` ends it. */
class Look {
  readonly #away = new AbortController();
  readonly signal: AbortSignal;
  readonly #onChange = (): void => {
    if (document.hidden) this.#away.abort();
  };

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#away.signal]);
    document.addEventListener("visibilitychange", this.#onChange);
  }

  end(): void {
    document.removeEventListener("visibilitychange", this.#onChange);
  }
}

async function* stream(
  lastId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent, void> {
  const headers = { ...headersWithToken(), ...(lastId !== undefined && { "Last-Event-ID": lastId }) };
  const response = await fetch("v1/events", { headers, signal, cache: "no-store", credentials: "omit" });
  if (response.status === 401) unauthorized();
  if (!response.ok || response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const events = new EventReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield* events.read(value);
  }
}

function eventOf({ id, event, data }: ServerSentEvent): ToldEvent | undefined {
  if (!KINDS.has(event)) return undefined;
  return { ...(JSON.parse(data) as GatewayEvent & { at: string }), key: id ?? data };
}
