/** One endpoint against a peer that a test plays by hand, and traces that read like a packet capture. */

import { expect } from "vitest";
import type { Instant } from "../../src/base/time.ts";
import type { L2tpAddress, L2tpEndpointConfig, L2tpPeerConfig } from "../../src/l2tp/config.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import type { L2tpOutput } from "../../src/l2tp/outputs.ts";
import { emitL2tp, parseL2tp } from "../../src/wire/l2tp.ts";
import type { Hiding } from "../../src/wire/l2tp-message-writer.ts";
import {
  emitMessage,
  type L2tpMessage,
  type MessageKind,
  type MessageOf,
  parseMessage,
} from "../../src/wire/l2tp-messages.ts";
import { seededRandom } from "../support/seeded-random.ts";

export const PEER: L2tpAddress = { address: "192.0.2.2", port: 1701, portKey: 3 };
/** The ids that the played peer assigns. */
export const PEER_TUNNEL = 500;
export const PEER_SESSION = 900;

export interface Sent {
  readonly tunnelId: number;
  readonly sessionId: number;
  readonly ns: number;
  readonly nr: number;
  /** Undefined: a ZLB. */
  readonly message: L2tpMessage | undefined;
}

function readSent(datagram: Uint8Array, secret?: Uint8Array): Sent {
  const packet = parseL2tp(datagram);
  if (typeof packet === "string" || packet.header.sequence === undefined)
    throw new Error("not a control message");
  const { tunnelId, sessionId, sequence } = packet.header;
  if (packet.payload.length === 0) return { tunnelId, sessionId, ...sequence, message: undefined };
  const parsed = parseMessage(packet.payload, secret);
  if (parsed.outcome !== "message") throw new Error(`we sent something ${parsed.outcome}`);
  return { tunnelId, sessionId, ...sequence, message: parsed.message };
}

/** "SCCRQ 0/0" is a message with its Ns and Nr; events are their kind. */
export function trace(outputs: readonly L2tpOutput[], secret?: Uint8Array): readonly string[] {
  return outputs.map((output) => {
    if (output.kind !== "send") return output.kind;
    const { message, ns, nr } = readSent(output.datagram, secret);
    return `${message?.kind ?? "ZLB"} ${ns}/${nr}`;
  });
}

/** The only output of a kind. */
export function only<K extends L2tpOutput["kind"]>(
  outputs: readonly L2tpOutput[],
  kind: K,
): Extract<L2tpOutput, { kind: K }> {
  const found = outputs.filter((output): output is Extract<L2tpOutput, { kind: K }> => output.kind === kind);
  expect(found.map((output) => output.kind)).toEqual([kind]);
  return found[0]!;
}

/** The last message of a kind that was sent. */
export function sent<K extends MessageKind>(
  outputs: readonly L2tpOutput[],
  kind: K,
  secret?: Uint8Array,
): Omit<Sent, "message"> & { readonly message: MessageOf<K> } {
  for (const output of outputs.toReversed()) {
    if (output.kind !== "send") continue;
    const read = readSent(output.datagram, secret);
    if (read.message?.kind === kind) return { ...read, message: read.message as MessageOf<K> };
  }
  throw new Error(`no ${kind} was sent, only ${trace(outputs, secret).join(", ")}`);
}

const GREETING = {
  protocolVersion: 0x0100,
  framingCapabilities: 3,
  hostName: "peer.example",
  assignedTunnelId: PEER_TUNNEL,
};

export const SCCRQ = { kind: "SCCRQ", ...GREETING } as const;
export const SCCRP = { kind: "SCCRP", ...GREETING } as const;
export const SCCCN = { kind: "SCCCN" } as const;
export const ICRQ = { kind: "ICRQ", assignedSessionId: PEER_SESSION, callSerialNumber: 1 } as const;
export const ICCN = { kind: "ICCN", txConnectSpeed: 1_000_000, framingType: 1 } as const;
export const CALL = { callSerialNumber: 1 } as const;
export const CONNECTION = { txConnectSpeed: 1_000_000, framingType: 1 } as const;

/** Plays the peer: what it says has the Ns and Nr that it is given, or the next ones of a lossless conversation. */
export class Played {
  readonly endpoint: L2tpEndpoint;
  now: Instant = 0;
  ns = 0;
  /** How many messages of the endpoint have been seen. */
  nr = 0;
  tunnelId = 0;
  hiding: Hiding | undefined;
  from: L2tpAddress = PEER;
  readonly #seen = new Set<number>();

  constructor(endpoint: L2tpEndpoint) {
    this.endpoint = endpoint;
  }

  /** Notes what the endpoint sent, so that say() acknowledges it. */
  watch<T extends readonly L2tpOutput[]>(outputs: T): T {
    for (const output of outputs) {
      if (output.kind !== "send") continue;
      const packet = parseL2tp(output.datagram);
      if (typeof packet === "string" || packet.payload.length === 0) continue;
      this.#seen.add(packet.header.sequence!.ns);
      while (this.#seen.has(this.nr)) this.nr += 1;
    }
    return outputs;
  }

  /** Lets the endpoint call the peer; the tunnel's id. */
  open(): { readonly tunnel: number; readonly outputs: readonly L2tpOutput[] } {
    const { tunnel, outputs } = this.endpoint.openTunnel(this.now, "lns");
    if (tunnel === undefined) throw new Error("no tunnel");
    this.tunnelId = tunnel;
    return { tunnel, outputs: this.watch(outputs) };
  }

  /** The next message of the peer. */
  say(message: L2tpMessage, sessionId = 0): readonly L2tpOutput[] {
    const outputs = this.sayAs(this.ns, this.nr, message, sessionId);
    this.ns += 1;
    return outputs;
  }

  sayAs(ns: number, nr: number, message: L2tpMessage, sessionId = 0): readonly L2tpOutput[] {
    return this.sayBody(ns, nr, emitMessage(message, this.hiding), sessionId);
  }

  sayBody(ns: number, nr: number, body: Uint8Array, sessionId = 0): readonly L2tpOutput[] {
    const header = { control: true, lengthBit: true, tunnelId: this.tunnelId, sessionId, priority: false };
    const datagram = emitL2tp({ ...header, sequence: { ns, nr } }, body);
    return this.watch(this.endpoint.receive(this.now, this.from, datagram));
  }

  /** A ZLB for everything that has been seen, or up to `nr`. */
  acknowledge(nr = this.nr): readonly L2tpOutput[] {
    return this.sayBody(this.ns, nr, new Uint8Array(0));
  }

  /** Lets the time come and does what is due. */
  at(now: Instant): readonly L2tpOutput[] {
    this.now = now;
    return this.watch(this.endpoint.timeout(now));
  }

  /** Everything that happens until `end` while the peer is silent, each line with its time. */
  silentUntil(end: Instant): readonly string[] {
    const lines: string[] = [];
    while (this.endpoint.deadline() <= end) {
      const outputs = this.at(this.endpoint.deadline());
      for (const line of trace(outputs)) lines.push(`${this.now} ${line}`);
    }
    this.now = end;
    return lines;
  }
}

/** The endpoint calls "lns", which is played and configured as `peer` says. */
export function caller(peer: Partial<L2tpPeerConfig> = {}, config: Partial<L2tpEndpointConfig> = {}): Played {
  const peers = [{ name: "lns", remote: PEER, ...peer }];
  return new Played(new L2tpEndpoint({ hostName: "us.example", peers, ...config }, seededRandom(7)));
}

/** The endpoint is called by "lac", which is played and configured as `peer` says. */
export function called(peer: Partial<L2tpPeerConfig> = {}, config: Partial<L2tpEndpointConfig> = {}): Played {
  const peers = [{ name: "lac", accept: true, hostName: "peer.example", ...peer }];
  return new Played(new L2tpEndpoint({ hostName: "us.example", peers, ...config }, seededRandom(7)));
}

/** A tunnel that the endpoint opened, up and acknowledged. */
export function callerUp(
  peer: Partial<L2tpPeerConfig> = {},
  receiveWindowSize = 16,
  config: Partial<L2tpEndpointConfig> = {},
): { readonly played: Played; readonly tunnel: number } {
  const played = caller(peer, config);
  const { tunnel } = played.open();
  played.say({ ...SCCRP, receiveWindowSize });
  played.acknowledge();
  return { played, tunnel };
}

/** A tunnel that the peer opened, up and acknowledged. */
export function calledUp(
  peer: Partial<L2tpPeerConfig> = {},
  receiveWindowSize = 16,
  config: Partial<L2tpEndpointConfig> = {},
): { readonly played: Played; readonly tunnel: number } {
  const played = called(peer, config);
  const reply = sent(played.say({ ...SCCRQ, receiveWindowSize }), "SCCRP");
  played.tunnelId = reply.message.assignedTunnelId;
  played.say(SCCCN);
  played.at(1);
  return { played, tunnel: played.tunnelId };
}
