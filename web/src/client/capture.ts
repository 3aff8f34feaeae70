/** Captures: read from the gateway into a file of the browser's, since no link can show the token. */

import type { Failure } from "./answer.ts";
import { failureOf, headersWithToken, order, unauthorized } from "./api.ts";
import { Store } from "./store.ts";

/** What a browser can hold for a while. */
const MAX_OCTETS = 2 ** 25;

export interface CaptureWish {
  readonly session: string;
  readonly leg: string;
  readonly seconds: string;
  readonly snap: string;
}

/** One that runs. */
interface Running {
  readonly octets: number;
  readonly stop: () => void;
}

export type CaptureEnd =
  | { readonly ok: true; readonly name: string; readonly octets: number; readonly isCut: boolean }
  | { readonly ok: false; readonly failure: Failure };

/** By session. They go on while others are looked at. */
export const runningCaptures = new Store<Readonly<Record<string, Running>>>({});

/** Captures until it ends, or is stopped, and has the browser save what came. */
export async function capture({ session, leg, seconds, snap }: CaptureWish): Promise<CaptureEnd> {
  const query = new URLSearchParams({ seconds, snap, octets: String(MAX_OCTETS) });
  if (leg !== "") query.set("leg", leg);
  let response: Response;
  try {
    response = await fetch(`v1/sessions/${session}/capture?${query}`, {
      headers: headersWithToken(),
      cache: "no-store",
      credentials: "omit",
    });
  } catch {
    // fetch() tells all failures of the network as one
    return { ok: false, failure: { kind: "away" } };
  }
  if (response.status === 401) {
    unauthorized();
    return { ok: false, failure: { kind: "unauthorized" } };
  }
  if (!response.ok || response.body === null) {
    const body: unknown = await response.json().catch(() => undefined);
    return { ok: false, failure: failureOf(response.status, body) };
  }
  const id = response.headers.get("Lacewing-Capture");
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let octets = 0;
  const stop = (): void =>
    void order("v1/captures/end", { capture: id, reason: "ended on the page" }).then(() => undefined);
  const tell = (running: Running | undefined): void => {
    const { [session]: _, ...others } = runningCaptures.value;
    runningCaptures.set(running === undefined ? others : { ...others, [session]: running });
  };
  let isCut = false;
  tell({ octets, stop });
  try {
    const reader = response.body.getReader();
    for (let part = await reader.read(); part.value !== undefined; part = await reader.read()) {
      chunks.push(part.value);
      octets += part.value.length;
      tell({ octets, stop });
    }
  } catch {
    // the gateway went away in the middle: what came is as good as it is
    isCut = true;
  }
  tell(undefined);
  const name = `${session}.pcapng`;
  save(name, new Blob(chunks, { type: "application/vnd.tcpdump.pcap" }));
  return { ok: true, name, octets, isCut };
}

function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // it is being read now
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
