/** The kernel, the routes and the log as the engine's tests have them. */

import type { Logger } from "../../../src/base/logger.ts";
import { MemoryDataplane } from "../../../src/dataplane/memory/engine.ts";
import { XdpDataplane } from "../../../src/dataplane/xdp/engine.ts";
import type { UdpFlowQuery, UdpNextHops } from "../../../src/io/clear-next-hops.ts";
import type { LinkFeatureListener, LinkFeatures, OtherEnd } from "../../../src/io/link-features.ts";
import type { NextHop, Unresolved } from "../../../src/io/next-hops.ts";
import {
  XDP_CHANNEL_BYTES,
  XDP_CHANNEL_NEXT,
  XDP_COUNTERS_BYTES,
  XDP_INTERFACE_BYTES,
  XDP_PASS,
  XDP_PEER_BYTES,
  type XdpLink,
  type XdpMode,
  type XdpProgram,
  type XdpSizes,
} from "../../../src/io/xdp.ts";

const SIZES: XdpSizes = {
  interfaces: 32,
  ports: 4,
  tunnels: 8,
  sessionPages: 16,
  channels: 64,
  peers: 32,
  peerSlots: 64,
};

const CPUS = 2;

/** Tables without a program, and a reader that goes through them as the program would. */
export class FakeProgram implements XdpProgram {
  readonly quick = true;
  readonly cpus = CPUS;
  readonly sizes: XdpSizes;
  readonly tables;
  /** By ifindex. */
  readonly attached = new Map<number, XdpMode>();
  /** Interfaces that cannot be attached to, and why; those without native XDP. */
  readonly refusals = new Map<number, string>();
  readonly genericOnly = new Set<number>();
  closed = false;
  /** Grace periods end by pass() alone. */
  holds = false;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(sizes: Partial<XdpSizes> = {}) {
    const all = { ...SIZES, ...sizes };
    this.sizes = all;
    this.tables = {
      interfaces: new ArrayBuffer(all.interfaces * XDP_INTERFACE_BYTES),
      access: new ArrayBuffer(4 * (all.ports + 1) * 0x1_0000),
      tunnels: new ArrayBuffer(4 * 0x1_0000),
      directories: new ArrayBuffer(4 * 256 * (all.tunnels + 1)),
      sessions: new ArrayBuffer(4 * 256 * (all.sessionPages + 1)),
      channels: new ArrayBuffer(XDP_CHANNEL_BYTES * (all.channels + 1)),
      peerSlots: new ArrayBuffer(4 * (all.peers + 1)),
      peers: new ArrayBuffer(XDP_PEER_BYTES * (all.peerSlots + 1)),
      counters: new ArrayBuffer(XDP_COUNTERS_BYTES * (all.channels + 1) * CPUS),
    };
  }

  attach(ifindex: number, mode: XdpMode | "auto"): XdpLink {
    if (this.closed) throw new Error("closed");
    const refusal = this.refusals.get(ifindex);
    if (refusal !== undefined) throw new Error(refusal);
    if (mode === "native" && this.genericOnly.has(ifindex)) throw new Error("EOPNOTSUPP, not supported");
    const native = mode === "native" || (mode === "auto" && !this.genericOnly.has(ifindex));
    const attached = native ? "native" : "generic";
    this.attached.set(ifindex, attached);
    return { mode: attached, close: () => this.attached.delete(ifindex) };
  }

  /** Every device is one that frames may leave by. */
  addDevice(): void {}

  synchronize(): Promise<void> {
    if (!this.holds) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Ends the grace periods that have begun. */
  pass(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** They cannot be told. */
  fail(reason: string): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(reason));
  }

  testRun(frame: Uint8Array) {
    return { action: XDP_PASS, frame, nanoseconds: 0 };
  }

  close(): void {
    this.closed = true;
    this.attached.clear();
  }

  /** A word of an entry, by the table's name. */
  word(table: keyof FakeProgram["tables"], offset: number): number {
    return new DataView(this.tables[table]).getUint32(offset, true);
  }

  half(table: keyof FakeProgram["tables"], offset: number): number {
    return new DataView(this.tables[table]).getUint16(offset, true);
  }

  /** A word of a channel's entry. */
  channel(slot: number, offset: number): number {
    return this.word("channels", slot * XDP_CHANNEL_BYTES + offset);
  }

  /** The channels that a PPPoE session id leads to, in order. */
  findAccess(port: number, sessionId: number): number[] {
    const found: number[] = [];
    let slot = this.word("access", 4 * (port * 0x1_0000 + sessionId));
    for (; slot !== 0; slot = this.channel(slot, XDP_CHANNEL_NEXT)) found.push(slot);
    return found;
  }

  /** The channel that a message leads to; 0: none. */
  findSession(tunnelId: number, sessionId: number): number {
    const directory = this.word("tunnels", 4 * tunnelId);
    if (directory === 0) return 0;
    const page = this.word("directories", 4 * (directory * 256 + (sessionId >>> 8)));
    return page === 0 ? 0 : this.word("sessions", 4 * (page * 256 + (sessionId & 0xff)));
  }

  /** The octets of what describes a peer now; undefined: nothing does. */
  peer(number: number): DataView | undefined {
    const slot = this.word("peerSlots", 4 * number);
    return slot === 0 ? undefined : new DataView(this.tables.peers, slot * XDP_PEER_BYTES, XDP_PEER_BYTES);
  }

  /** Counts as a CPU would that forwards what came in on a channel. */
  count(cpu: number, slot: number, frames: number, octets: number, control: number): void {
    const view = new DataView(this.tables.counters);
    const at = (cpu * (this.sizes.channels + 1) + slot) * XDP_COUNTERS_BYTES;
    for (const [i, more] of [frames, octets, control].entries())
      view.setBigUint64(at + 8 * i, view.getBigUint64(at + 8 * i, true) + BigInt(more), true);
  }
}

/** Next hops that are what the test says. */
class FakeNextHops implements UdpNextHops {
  readonly watches = new Map<(hop: NextHop | Unresolved) => void, UdpFlowQuery>();

  watch(query: UdpFlowQuery, changed: (hop: NextHop | Unresolved) => void): { close(): void } {
    this.watches.set(changed, query);
    return { close: () => this.watches.delete(changed) };
  }

  /** To those that ask for an address. */
  tell(remoteAddress: string, hop: NextHop | Unresolved): void {
    for (const [changed, query] of this.watches) if (query.remoteAddress === remoteAddress) changed(hop);
  }

  close(): void {
    this.watches.clear();
  }
}

/** Every card can do everything, but for those that are named. */
export class FakeFeatures implements LinkFeatures {
  readonly notTargets = new Set<number>();
  /** Those of `notTargets` that may become targets. */
  readonly promising = new Set<number>();
  readonly stripping = new Set<number>();
  /** What devices are called now: those that are not here are gone. */
  readonly names = new Map<number, string>();
  /** How often it was asked to look again. */
  reconsidered = 0;
  listener: LinkFeatureListener | undefined;

  listen(listener: LinkFeatureListener): void {
    this.listener = listener;
  }

  reconsider(): void {
    this.reconsidered += 1;
  }

  isRedirectTarget(ifindex: number): boolean {
    return !this.notTargets.has(ifindex);
  }

  mayBecomeTarget(ifindex: number): boolean {
    return this.promising.has(ifindex);
  }

  keepVlanTags(ifindex: number): string | undefined {
    return this.stripping.has(ifindex) ? "it takes VLAN tags off frames" : undefined;
  }

  otherEnd(): OtherEnd | undefined {
    return undefined;
  }

  nameOf(ifindex: number): string | undefined {
    return this.names.get(ifindex);
  }

  close(): void {}
}

/** Lines as "error: message {fields}". */
export class FakeLog implements Logger {
  readonly lines: string[] = [];

  debug(fields: object, message: string): void {
    this.#add("debug", fields, message);
  }

  info(fields: object, message: string): void {
    this.#add("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#add("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#add("error", fields, message);
  }

  of(level: string): string[] {
    return this.lines.filter((line) => line.startsWith(level));
  }

  #add(level: string, fields: object, message: string): void {
    this.lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  }
}

class Beneath extends MemoryDataplane {
  /** Channels whose peers number what they send. */
  readonly numbered = new Set<number>();

  numbersSent(channel: number): boolean {
    return this.numbered.has(channel);
  }
}

/** The engine over arrays, with one access port (ifindex 3) and one for tunnels. */
export async function fakeSite(
  sizes: Partial<XdpSizes> = {},
  prepare: (program: FakeProgram) => void = () => {},
) {
  const beneath = new Beneath();
  const program = new FakeProgram(sizes);
  const hops = new FakeNextHops();
  const features = new FakeFeatures();
  const log = new FakeLog();
  prepare(program);
  const dataplane = new XdpDataplane(beneath, {
    program,
    sizes: program.sizes,
    hops,
    features,
    mode: "auto",
    logger: log,
  });
  dataplane.onPunt(() => {});
  const access = await dataplane.openPort({ kind: "ethernet", ifindex: 3, name: "acc0", mtuBytes: 1500 });
  const tunnel = await dataplane.openPort({ kind: "udp", address: "192.0.2.1", udpPort: 1701 });
  return { beneath, program, hops, features, log, dataplane, access, tunnel };
}
