import { readU16 } from "../../../src/base/bytes.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { Dataplane } from "../../../src/channel/dataplane.ts";
import { type LoopEngine, startLoopDataplane } from "../../../src/dataplane/loop/engine.ts";
import { DEFAULT_LOOP_OPTIONS } from "../../../src/dataplane/loop/options.ts";
import { startXdpDataplane, type XdpOptions } from "../../../src/dataplane/xdp/start.ts";
import { openXdp, type XdpProgram } from "../../../src/io/xdp.ts";
import { ETHERTYPE_IPV4, emitEthernet, formatMac } from "../../../src/wire/ethernet.ts";
import { formatIpAddress, parseIpAddress } from "../../../src/wire/ip-address.ts";
import { emitIpv4, PROTOCOL_UDP, parseIpv4 } from "../../../src/wire/ipv4.ts";
import { emitUdp } from "../../../src/wire/udp.ts";
import {
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
  readonly cable: ReturnType<typeof makeCable>;
  /** Every IPv4 frame that came, whole. */
  readonly frames: Uint8Array[];
  sendFrame(frame: Uint8Array): void;
}

/** Two remotes behind one end of a veth pair, with permanent neighbours: nobody answers ARP there. */
export function cableCore(): CableCore {
  cores += 1;
  const cable = makeCable();
  const net = `10.${1 + (process.pid % 250)}.${1 + (cores % 250)}`;
  const address = `${net}.1`;
  const remotes = [`${net}.2`, `${net}.3`] as const;
  const { gateway, subscriber: far } = cable;
  ip("address", "add", `${address}/24`, "dev", gateway.name);
  for (const remote of remotes)
    ip("neighbour", "replace", remote, "lladdr", formatMac(far.mac), "dev", gateway.name, "nud", "permanent");
  const wire = openWire(far, ETHERTYPE_IPV4);
  const frames: Uint8Array[] = [];
  return {
    cable,
    address,
    remotes,
    frames,
    sendFrame: (frame) => wire.send(frame),
    send: (from, datagram) => wire.send(datagramFrame(cable, from, address, datagram)),
    onDatagram(handler) {
      wire.onFrame((frame) => {
        frames.push(frame);
        const packet = parseIpv4(frame.subarray(ETHERNET_BYTES));
        if (packet === undefined || packet.protocol !== PROTOCOL_UDP) return;
        const { payload } = packet;
        handler(formatIpAddress(packet.destination), payload.slice(8, readU16(payload, 4)));
      });
    },
    close() {
      wire.close();
      cable.remove();
    },
  };
}

/** A datagram to us as a frame on the far end's wire. */
function datagramFrame(
  { gateway, subscriber }: ReturnType<typeof makeCable>,
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
function openEnds(...ifindexes: readonly number[]): XdpProgram {
  const addon = openXdp();
  if (typeof addon === "string") throw new Error(addon);
  const sizes = { interfaces: 1, ports: 1, tunnels: 1, sessionPages: 1, channels: 1, peers: 1, peerSlots: 1 };
  const program = addon.load(sizes);
  for (const ifindex of ifindexes) program.attach(ifindex, "native");
  return program;
}

/** Any engine between two veth pairs whose other ends take what is redirected to them, and get no uncut segments. */
export async function rigOnCables(
  dataplane: Dataplane,
  core: CableCore,
): Promise<LoopRig & { readonly core: CableCore }> {
  const rig = await rigAround(dataplane, core, ({ subscriber }) => {
    const ends = openEnds(subscriber.ifindex, core.cable.subscriber.ifindex);
    return () => ends.close();
  });
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
  const loop = await startLoopDataplane(RIG_OPTIONS);
  const dataplane = startXdpDataplane(loop, {
    ...DEFAULT_LOOP_OPTIONS,
    ...RIG_OPTIONS,
    logger: silentLogger,
    ...options,
  });
  if (typeof dataplane === "string") throw new Error(dataplane);
  return Object.assign(await rigOnCables(dataplane, core), { loop });
}
