import { execFileSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll } from "vitest";
import type { Dataplane } from "../../../src/channel/dataplane.ts";
import { addressRecord } from "../../../src/dataplane/loop/address-record.ts";
import { startLoopDataplane } from "../../../src/dataplane/loop/engine.ts";
import { DEFAULT_LOOP_OPTIONS, type LoopOptions } from "../../../src/dataplane/loop/options.ts";
import type { ThreadedLoop } from "../../../src/dataplane/loop/threaded-loop.ts";
import { addressOctets } from "../../../src/dataplane/specs.ts";
import { type NativeError, RX_LENGTH, RX_OFFSET, RX_STRIDE } from "../../../src/io/addon.ts";
import { addon } from "../../../src/io/native.ts";
import { etherTypeFilter } from "../../../src/wire/bpf.ts";
import { ETHERTYPE_PPPOE_SESSION, parseMac } from "../../../src/wire/ethernet.ts";
import type { Rig } from "../rig.ts";

const HOST_PORT = 5000;
export const REMOTE_PORT = 17_010;
const PATIENCE_MS = 10_000;

let cables = 0;
let rigs = 0;
let units = 0;

/** A veth pair of this process in its own namespace, up, without IPv6 of its own. */
export interface Cable {
  readonly gateway: { readonly name: string; readonly ifindex: number; readonly mac: Uint8Array };
  readonly subscriber: { readonly name: string; readonly ifindex: number; readonly mac: Uint8Array };
  /** Takes both ends away, as if the card had been pulled. */
  remove(): void;
}

export function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
}

function linkOf(name: string): { name: string; ifindex: number; mac: Uint8Array } {
  const read = (file: string) => readFileSync(`/sys/class/net/${name}/${file}`, "utf8").trim();
  return { name, ifindex: Number(read("ifindex")), mac: parseMac(read("address"))! };
}

/** `queues`: of the gateway's end; when absent, as many as the kernel gives both: no less than the other end has, for native XDP. */
export function makeCable(queues?: number): Cable {
  cables += 1;
  const a = `lwg${process.pid % 1e6}.${cables}`;
  const b = `lws${process.pid % 1e6}.${cables}`;
  const counts = queues === undefined ? [] : ["numtxqueues", `${queues}`, "numrxqueues", `${queues}`];
  ip("link", "add", a, ...counts, "type", "veth", "peer", "name", b);
  for (const name of [a, b]) {
    ip("link", "set", name, "addrgenmode", "none");
    ip("link", "set", name, "up");
  }
  let there = true;
  return {
    gateway: linkOf(a),
    subscriber: linkOf(b),
    remove() {
      if (there) ip("link", "del", a);
      there = false;
    },
  };
}

/** One that no rig uses now: making and removing it takes longer than most tests. */
let spare: Cable | undefined;

afterAll(() => {
  spare?.remove();
  spare = undefined;
});

function takeCable(): Cable {
  const cable = spare ?? makeCable();
  spare = undefined;
  return cable;
}

interface Wire {
  readonly fd: number;
  send(frame: Uint8Array): void;
  onFrame(handler: (frame: Uint8Array) => void): void;
  close(): void;
}

/** A packet socket for frames of one EtherType on one end of a cable. */
export function openWire(link: { readonly name: string; readonly ifindex: number }, etherType: number): Wire {
  const fd = addon.openPacket({
    ...link,
    filter: etherTypeFilter(etherType),
    ringSlots: 0,
    slotBytes: 0,
    headroomBytes: 0,
    sendBufferBytes: 1 << 20,
    bypassQdisc: true,
    promiscuous: true,
  });
  let handler: (frame: Uint8Array) => void = () => {};
  const next = () => {
    try {
      return addon.receiveFrame(fd);
    } catch (error) {
      // the cable was pulled: what came before has been read
      if ((error as NativeError).code === "ENETDOWN") return undefined;
      throw error;
    }
  };
  const watcher = addon.watch(fd, () => {
    for (let frame = next(); frame !== undefined; frame = next()) handler(frame);
  });
  return {
    fd,
    send(frame) {
      const errno = addon.sendFrame(fd, frame);
      if (errno !== 0) throw new Error(`the test's frame was refused: errno ${errno}`);
    },
    onFrame(receiver) {
      handler = receiver;
    },
    close() {
      watcher.close();
      addon.close(fd);
    },
  };
}

/** Sends one frame again and again from a thread of its own. */
const FLOOD = `
  const { workerData } = require("node:worker_threads");
  const addon = require(workerData.addon);
  const stop = new Int32Array(workerData.stop);
  while (Atomics.load(stop, 0) === 0) addon.sendFrame(workerData.fd, workerData.frame);
`;

async function flood(fd: number, frame: Uint8Array): Promise<() => Promise<void>> {
  const stop = new SharedArrayBuffer(4);
  const path = fileURLToPath(new URL("../../../build/Release/lacewing.node", import.meta.url));
  const worker = new Worker(FLOOD, { eval: true, workerData: { addon: path, stop, fd, frame } });
  await once(worker, "online");
  return async () => {
    const ended = once(worker, "exit");
    Atomics.store(new Int32Array(stop), 0, 1);
    await ended;
  };
}

async function bound(address: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

/** Where L2TP is spoken: our address, the remotes', and what they send and receive. */
export interface Core {
  readonly address: string;
  readonly remotes: readonly [string, string];
  /** To our address; has happened when this returns. */
  send(from: string, datagram: Uint8Array): void;
  onDatagram(handler: (to: string, datagram: Uint8Array) => void): void;
  close(): void;
}

/** Sockets on the loopback device, on addresses of their own, so that runs beside each other do not meet. */
function loopbackCore(): Core {
  rigs += 1;
  const net = `127.${1 + (process.pid % 250)}.${1 + (rigs % 250)}`;
  const remotes = [`${net}.2`, `${net}.3`] as const;
  const sockets = new Map<string, ReturnType<typeof openRemote>>();
  for (const address of remotes) sockets.set(address, openRemote(address, REMOTE_PORT));
  return {
    address: `${net}.1`,
    remotes,
    send: (from, datagram) => sockets.get(from)!.send(`${net}.1`, REMOTE_PORT, datagram),
    onDatagram(handler) {
      for (const [address, socket] of sockets) socket.onDatagram((datagram) => handler(address, datagram));
    },
    close() {
      for (const socket of sockets.values()) socket.close();
    },
  };
}

/** A UDP socket whose sends have happened when they return, unlike node:dgram's. */
function openRemote(
  address: string,
  udpPort: number,
): {
  send(toAddress: string, toPort: number, datagram: Uint8Array): void;
  onDatagram(handler: (datagram: Uint8Array) => void): void;
  close(): void;
} {
  const fd = addon.openUdp({
    family: 4,
    address: addressOctets(address),
    port: udpPort,
    ifindex: 0,
    reusePort: false,
    receiveBufferBytes: 1 << 20,
    sendBufferBytes: 1 << 20,
    gro: false,
    checksum: true,
    df: "clear",
  });
  const region = addon.createRegion(4 << 20);
  const receiver = region.udpReceiver(fd, 32, 65_536);
  const descriptors = new Int32Array(32 * RX_STRIDE);
  let handler: (datagram: Uint8Array) => void = () => {};
  const watcher = addon.watch(fd, () => {
    const count = receiver.receive(descriptors, 32);
    for (let i = 0; i < count; i++) {
      const offset = descriptors[i * RX_STRIDE + RX_OFFSET]!;
      handler(region.bytes.slice(offset, offset + descriptors[i * RX_STRIDE + RX_LENGTH]!));
    }
    receiver.release();
  });
  return {
    send(toAddress, toPort, datagram) {
      const errno = addon.sendDatagram(fd, addressRecord(toAddress, toPort), datagram);
      if (errno !== 0) throw new Error(`the test's datagram was refused: errno ${errno}`);
    },
    onDatagram(receiverOf) {
      handler = receiverOf;
    },
    close() {
      watcher.close();
      receiver.close();
      addon.close(fd);
    },
  };
}

/** Resolves when the condition holds; gives other events their turn meanwhile. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Punt limits that no test reaches that is not about them. */
const UNLIMITED = { perSecond: 1e9, burst: 1e9 };

/** The loop's options for a rig. */
export const RIG_OPTIONS = {
  maxChannels: 4096,
  maxPeers: 1024,
  maxUnits: 64,
  punts: { ...DEFAULT_LOOP_OPTIONS.punts, perChannel: UNLIMITED, unknownSession: UNLIMITED },
} as const satisfies Partial<LoopOptions>;

export interface LoopRig extends Rig {
  readonly cable: Cable;
  readonly tunnelUdpPort: number;
  /** Sends a frame from the subscribers' end without pause, until what this resolves to is called. */
  flood(frame: Uint8Array): Promise<() => Promise<void>>;
}

/** A loop engine between a veth pair and the loopback device. Needs root. */
export async function loopRig(
  options: Partial<LoopOptions> = {},
): Promise<LoopRig & { readonly loop: ThreadedLoop }> {
  const loop = await startLoopDataplane({ ...RIG_OPTIONS, ...options });
  return Object.assign(await rigAround(loop, loopbackCore()), { loop });
}

/**
 * An engine between a veth pair and `core`. Needs root. `prepare`: what the cable needs before the port is opened.
 */
export async function rigAround(
  dataplane: Dataplane,
  core: Core,
  prepare?: (cable: Cable) => void,
): Promise<LoopRig> {
  const cable = takeCable();
  prepare?.(cable);
  /** Somebody may have pulled it out, or renamed it. */
  let touched = false;
  units += 1;
  let hook: Parameters<Rig["onPunt"]>[0] = () => {};
  dataplane.onPunt((punt) => {
    rig.punts.push(punt);
    hook(punt);
  });
  const inside = `198.18.${process.pid % 250}`;
  const access = await dataplane.openPort({ kind: "ethernet", mtuBytes: 1500, ...cable.gateway });
  const tunnel = await dataplane.openPort({ kind: "udp", address: core.address, udpPort: REMOTE_PORT });
  const wire = openWire(cable.subscriber, ETHERTYPE_PPPOE_SESSION);
  wire.onFrame((frame) => rig.frames.push(frame));
  core.onDatagram((address, datagram) => rig.datagrams.push({ address, datagram }));
  let host: Socket | undefined;
  const rig = {
    dataplane,
    get cable() {
      touched = true;
      return cable;
    },
    tunnelUdpPort: REMOTE_PORT,
    flood: (frame: Uint8Array) => flood(wire.fd, frame),
    access,
    tunnel,
    gatewayMac: cable.gateway.mac,
    remotes: core.remotes,
    remotePort: REMOTE_PORT,
    unitAddress: `${inside}.1`,
    subscriberAddresses: [`${inside}.2`, `${inside}.3`, `${inside}.4`] as const,
    unitName: `lwu${process.pid % 1e6}.${units}`,
    punts: [] as Rig["punts"],
    frames: [] as Rig["frames"],
    datagrams: [] as Rig["datagrams"],
    hostReceived: [] as Rig["hostReceived"],
    onPunt(receiver: typeof hook) {
      hook = receiver;
    },
    async openHost() {
      host = await bound(rig.unitAddress, HOST_PORT);
      host.on("message", (message, { address }) =>
        rig.hostReceived.push({ from: address, payload: new Uint8Array(message) }),
      );
      return HOST_PORT;
    },
    hostSend(to: string, payload: Uint8Array) {
      host!.send(payload, 4000, to);
    },
    fromSubscriber: (frame: Uint8Array) => wire.send(frame),
    fromRemote: (address: string, datagram: Uint8Array) => core.send(address, datagram),
    passTime() {},
    until: eventually,
    async close() {
      host?.close();
      core.close();
      wire.close();
      await dataplane.close();
      if (touched || spare !== undefined) cable.remove();
      else spare = cable;
    },
  };
  return rig;
}
