import { afterAll } from "vitest";
import { readU16 } from "../../../src/base/bytes.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { Dataplane } from "../../../src/channel/dataplane.ts";
import { startLoopDataplane } from "../../../src/dataplane/loop/engine.ts";
import { DEFAULT_LOOP_OPTIONS } from "../../../src/dataplane/loop/options.ts";
import type { LoopEngine } from "../../../src/dataplane/loop/threaded-loop.ts";
import { startXdpDataplane, type XdpOptions } from "../../../src/dataplane/xdp/start.ts";
import { openXdp, type XdpProgram } from "../../../src/io/xdp.ts";
import { ETHERTYPE_IPV4, emitEthernet, formatMac } from "../../../src/wire/ethernet.ts";
import { formatIpAddress, parseIpAddress } from "../../../src/wire/ip-address.ts";
import { emitIpv4, PROTOCOL_UDP, parseIpv4 } from "../../../src/wire/ipv4.ts";
import { emitUdp } from "../../../src/wire/udp.ts";
import {
  type Cable,
  type Core,
  ip,
  type LoopRig,
  makeCable,
  openWire,
  REMOTE_PORT,
  RIG_OPTIONS,
  rigAround,
} from "../loop/rig.ts";

const ETHERNET_BYTES = 14;
let cores = 0;

/** An L2TP network on a veth pair of its own: the remotes are frames on its other end. */
export interface CableCore extends Core {
  /** Who asks for it may change it: it is nobody's after that. */
  readonly cable: Cable;
  readonly farIfindex: number;
  /** Every IPv4 frame that came, whole. */
  readonly frames: Uint8Array[];
  /** The card is pulled out, and some time after another is there, with the same addresses. */
  pull(): void;
  putBack(): void;
}

/** A cable with its addresses, which takes longer to make than most tests. */
interface CoreNetwork {
  readonly cable: Cable;
  readonly address: string;
  readonly remotes: readonly [string, string];
}

/** One that no rig uses now. */
let spare: CoreNetwork | undefined;

afterAll(() => {
  spare?.cable.remove();
  spare = undefined;
  ends?.close();
  ends = undefined;
});

function takeNetwork(): CoreNetwork {
  const network = spare ?? makeNetwork();
  spare = undefined;
  return network;
}

function makeNetwork(): CoreNetwork {
  cores += 1;
  const net = `10.${1 + (process.pid % 250)}.${1 + (cores % 250)}`;
  return connectNetwork(`${net}.1`, [`${net}.2`, `${net}.3`]);
}

function connectNetwork(address: string, remotes: CoreNetwork["remotes"]): CoreNetwork {
  const cable = makeCable();
  const { gateway, subscriber: far } = cable;
  ip("address", "add", `${address}/24`, "dev", gateway.name);
  for (const remote of remotes)
    ip("neighbour", "replace", remote, "lladdr", formatMac(far.mac), "dev", gateway.name, "nud", "permanent");
  return { cable, address, remotes };
}

/** Two remotes behind one end of a veth pair, with permanent neighbours: nobody answers ARP there. */
export function cableCore(): CableCore {
  const network = takeNetwork();
  const { address, remotes } = network;
  let { cable } = network;
  /** Somebody may have changed it. */
  let touched = false;
  let wire = openWire(cable.subscriber, ETHERTYPE_IPV4);
  const frames: Uint8Array[] = [];
  let handler: (to: string, datagram: Uint8Array) => void = () => {};
  const take = (frame: Uint8Array) => {
    frames.push(frame);
    const packet = parseIpv4(frame.subarray(ETHERNET_BYTES));
    if (packet === undefined || packet.protocol !== PROTOCOL_UDP) return;
    const { payload } = packet;
    handler(formatIpAddress(packet.destination), payload.slice(8, readU16(payload, 4)));
  };
  wire.onFrame(take);
  return {
    get cable() {
      touched = true;
      return cable;
    },
    get farIfindex() {
      return cable.subscriber.ifindex;
    },
    address,
    remotes,
    frames,
    send: (from, datagram) => wire.send(datagramFrame(cable, from, address, datagram)),
    onDatagram(receiver) {
      handler = receiver;
    },
    pull() {
      touched = true;
      cable.remove();
    },
    putBack() {
      wire.close();
      ({ cable } = connectNetwork(address, remotes));
      wire = openWire(cable.subscriber, ETHERTYPE_IPV4);
      wire.onFrame(take);
      makeReady(cable.subscriber.ifindex);
    },
    close() {
      wire.close();
      if (touched || spare !== undefined) cable.remove();
      else spare = network;
    },
  };
}

/** A datagram to us as a frame on the far end's wire. */
function datagramFrame(
  { gateway, subscriber }: Cable,
  from: string,
  to: string,
  payload: Uint8Array,
): Uint8Array {
  const source = parseIpAddress(from)!;
  const destination = parseIpAddress(to)!;
  const ports = { sourcePort: REMOTE_PORT, destinationPort: REMOTE_PORT };
  const fragmentation = { identification: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0 };
  const header = { ...fragmentation, tos: 0, ttl: 64, protocol: PROTOCOL_UDP, source, destination };
  return emitEthernet({
    destination: gateway.mac,
    source: subscriber.mac,
    tags: [],
    etherType: ETHERTYPE_IPV4,
    payload: emitIpv4({ ...header, payload: emitUdp({ source, destination, ...ports, payload }) }),
  });
}

/** Why the program cannot be loaded here; undefined when it can. */
export function xdpMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const addon = openXdp();
  return typeof addon === "string" ? addon : undefined;
}

/** A program on the test's ends of cables, which leaves everything alone: with it they take redirected frames. */
let ends: XdpProgram | undefined;
const ready = new Set<number>();

/** For as long as the device is there, at the latest until the file's tests are done. */
export function makeReady(...ifindexes: readonly number[]): void {
  const addon = openXdp();
  if (typeof addon === "string") throw new Error(addon);
  const sizes = { interfaces: 1, ports: 1, tunnels: 1, sessionPages: 1, channels: 1, peers: 1, peerSlots: 1 };
  ends ??= addon.load(sizes);
  for (const ifindex of ifindexes) {
    if (!ready.has(ifindex)) ends.attach(ifindex, "native");
    ready.add(ifindex);
  }
}

/** Any engine between two veth pairs whose other ends take what is redirected to them, and get no uncut segments. */
export async function rigOnCables(
  dataplane: Dataplane,
  core: CableCore,
): Promise<LoopRig & { readonly core: CableCore }> {
  const rig = await rigAround(dataplane, core, ({ subscriber }) =>
    makeReady(subscriber.ifindex, core.farIfindex),
  );
  return Object.assign(rig, { core });
}

export interface XdpRig extends LoopRig {
  readonly core: CableCore;
  /** What forwards that the program does not. */
  readonly loop: LoopEngine;
}

/** The xdp engine above a loop, between two veth pairs. Needs root, and xdpMissing() to be undefined. */
export async function xdpRig(options: Partial<XdpOptions> = {}): Promise<XdpRig> {
  const core = cableCore();
  const { dataplane, loop } = await startEngine(options);
  return Object.assign(await rigOnCables(dataplane, core), { loop });
}

/** As xdpRig(), but what is redirected to the veth pairs is lost as yet: their other ends are new. */
export async function xdpRigUnready(): Promise<XdpRig> {
  const core = cableCore();
  const { dataplane, loop } = await startEngine({});
  return Object.assign(await rigAround(dataplane, core), { core, loop });
}

async function startEngine(options: Partial<XdpOptions>) {
  const loop = await startLoopDataplane(RIG_OPTIONS);
  const dataplane = startXdpDataplane(loop, {
    ...DEFAULT_LOOP_OPTIONS,
    ...RIG_OPTIONS,
    logger: silentLogger,
    ...options,
  });
  if (typeof dataplane === "string") throw new Error(dataplane);
  return { dataplane, loop };
}
