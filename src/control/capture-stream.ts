/** A capture as the answer to a request. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import type { CaptureSink, OpenCapture } from "../gateway/capture-request.ts";
import { CAPTURE_HEADER } from "./capture-header.ts";

/** Nobody may say for a long time: that a reader at the other end of a network is gone is found out all the same. */
const KEEP_ALIVE_MS = 15_000;
/** A reader who takes nothing for so long does not get the rest of a capture that has ended, and lets go of its memory. */
const LAST_READ_MS = 60_000;
const MAX_AGENT_CHARACTERS = 80;

export class ResponseSink implements CaptureSink {
  readonly #response: ServerResponse;
  readonly #lastReadMs: number;
  /** What is written before begin(). */
  #early: Uint8Array[] | undefined = [];
  #hasEndedEarly = false;

  constructor(response: ServerResponse, lastReadMs = LAST_READ_MS) {
    this.#response = response;
    this.#lastReadMs = lastReadMs;
  }

  get waitingBytes(): number {
    return this.#response.writableLength;
  }

  /** It is being captured: the answer begins. */
  begin(capture: OpenCapture, fileName: string): void {
    const response = this.#response;
    response.on("close", () => capture.end("its reader has gone"));
    // a reader that goes away while it is written to is no fault of ours
    response.on("error", () => capture.end("its reader has gone"));
    response.socket?.setTimeout(0).setKeepAlive(true, KEEP_ALIVE_MS);
    response.writeHead(200, {
      "Content-Type": "application/vnd.tcpdump.pcap",
      "Content-Disposition": `attachment; filename="${fileName}"`,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      // for nginx
      "X-Accel-Buffering": "no",
      [CAPTURE_HEADER]: capture.id,
    });
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const octets of early) this.write(octets);
    if (this.#hasEndedEarly) this.end();
  }

  write(octets: Uint8Array): void {
    if (this.#early !== undefined) this.#early.push(octets);
    else if (!this.#response.destroyed) this.#response.write(octets);
  }

  end(): void {
    if (this.#early !== undefined) {
      this.#hasEndedEarly = true;
      return;
    }
    this.#response.setTimeout(this.#lastReadMs, () => this.#response.destroy());
    this.#response.end();
  }
}

/** Who asks: where he comes from, his certificate, and what he says of himself. */
export function askerOf({ socket, headers }: IncomingMessage): string {
  const { remoteAddress, remotePort } = socket;
  const from = remoteAddress === undefined ? "the local socket" : `${remoteAddress} port ${remotePort}`;
  const names = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
  const certificate = names === undefined ? "" : `, certificate of ${[names].flat().join(" ")}`;
  const agent = headers["user-agent"]?.replaceAll(/[^\x20-\x7e]/g, "").slice(0, MAX_AGENT_CHARACTERS);
  return from + certificate + (agent === undefined ? "" : `, ${agent}`);
}
