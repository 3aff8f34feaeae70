/**
 * A data plane with bridges and no control plane above it, a process of its own in the namespace of the LAC. It is
 * called with
 *
 *     ENGINE SESSIONS DEVICE ADDRESS PEERS
 *
 * the file of the sessions to bridge, the access device, the address that L2TP is spoken on and the LNSes' addresses with
 * commas. Its parent speaks with it by messages: see BareLacRequest and BareLacAnswer. Without such a parent it prints what
 * it has to say.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { ChannelId, Dataplane, EngineInterface, PeerId } from "../src/channel/dataplane.ts";
import { startLoopDataplane } from "../src/dataplane/loop/engine.ts";
import { DEFAULT_LOOP_OPTIONS } from "../src/dataplane/loop/options.ts";
import { startXdpDataplane } from "../src/dataplane/xdp/start.ts";
import { openHostNetwork } from "../src/io/native-host-network.ts";
import { L2TP_UDP_PORT } from "../src/wire/l2tp.ts";
import { type BareSession, parseSessions } from "./bare-sessions.ts";
import { Changes } from "./changes.ts";
import { type Alternated, alternate, type SlicePlan } from "./slices.ts";

/** Once traffic runs, bridges of its own are made and undone by turns with rest; answered when that is over. */
export type BareLacRequest = SlicePlan;

export type BareLacAnswer =
  | {
      readonly kind: "ready";
      readonly interfaces: readonly EngineInterface[];
    }
  /** The engine cannot be had. */
  | { readonly kind: "refused"; readonly reason: string }
  | ({ readonly kind: "alternated" } & Alternated);

/** A bridged session needs two, and those that are made and undone have some, too. */
const CHANNELS_BESIDE = 4096;
const PATH_MTU_BYTES = 1600;
/** Bridges that are being made or undone at one time. */
const CHANGING = 256;
/** Ids that no session has: those of bareSessions() begin at 1. */
const CHANGING_TUNNEL = 999;
const CHANGING_MAC = Uint8Array.of(2, 0, 1, 0, 0, 1);

const logger = {
  debug: () => {},
  info: () => {},
  warn: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/** The engine, or why it cannot be had. What is not native here would be measured as something else. */
async function start(engine: "loop" | "xdp", maxChannels: number): Promise<Dataplane | string> {
  const workers = Math.max(1, availableParallelism() - 1);
  const loop = await startLoopDataplane({ workers, maxChannels });
  if (engine === "loop") return loop;
  return startXdpDataplane(loop, { ...DEFAULT_LOOP_OPTIONS, maxChannels, logger, mode: "native" });
}

interface Ends {
  readonly access: number;
  readonly mac: Uint8Array;
  readonly core: readonly PeerId[];
}

function channels(dataplane: Dataplane, ends: Ends, session: BareSession): readonly [ChannelId, ChannelId] {
  const remoteMac = Uint8Array.from(session.mac.split(":"), (text) => Number.parseInt(text, 16));
  const subscriber = dataplane.addPeer({
    kind: "ethernet",
    port: ends.access,
    remoteMac,
    localMac: ends.mac,
    tags: [],
  });
  const pppoe = dataplane.addChannel({
    kind: "pppoe",
    peer: subscriber,
    sessionId: session.pppoeSessionId,
  });
  const l2tp = dataplane.addChannel({
    kind: "l2tp",
    peer: ends.core[session.peer]!,
    localTunnelId: session.lacTunnel,
    localSessionId: session.lacSession,
    remoteTunnelId: session.lnsTunnel,
    remoteSessionId: session.lnsSession,
  });
  return [pppoe, l2tp];
}

interface Opened {
  readonly dataplane: Dataplane;
  readonly changes: Changes;
  /** That have come for the sessions so far. */
  readonly frames: () => number;
}

async function open(
  engine: "loop" | "xdp",
  sessions: readonly BareSession[],
  device: string,
  address: string,
  lnses: readonly string[],
): Promise<Opened | string> {
  const link = openHostNetwork().linkByName(device);
  if (link === undefined) throw new Error(`there is no device "${device}"`);
  const dataplane = await start(engine, 2 * sessions.length + CHANNELS_BESIDE);
  if (typeof dataplane === "string") return dataplane;
  dataplane.onPunt(() => {});
  const { ifindex, name, mtuBytes } = link;
  const access = await dataplane.openPort({ kind: "ethernet", ifindex, name, mtuBytes });
  const tunnels = await dataplane.openPort({ kind: "udp", address, udpPort: L2TP_UDP_PORT });
  const core = lnses.map((lns) =>
    dataplane.addPeer({
      kind: "udp",
      port: tunnels,
      address: lns,
      udpPort: L2TP_UDP_PORT,
      pathMtuBytes: PATH_MTU_BYTES,
      addressControl: true,
      lengthBit: true,
      checksum: true,
      oversize: "fragment",
    }),
  );
  const ends = { access, mac: link.mac, core };
  const pairs = sessions.map((session) => channels(dataplane, ends, session));
  await Promise.all(pairs.map((pair) => dataplane.bridge(...pair)));
  const changes = new Changes(dataplane, changing(dataplane, ends));
  const carrying = pairs.flat();
  return {
    dataplane,
    changes,
    frames: () => carrying.reduce((sum, each) => sum + dataplane.framesIn(each), 0),
  };
}

/** Pairs of channels that bridges are made of and undone while others carry traffic. */
function changing(dataplane: Dataplane, ends: Ends): readonly (readonly [ChannelId, ChannelId])[] {
  const peer = dataplane.addPeer({
    kind: "ethernet",
    port: ends.access,
    remoteMac: CHANGING_MAC,
    localMac: ends.mac,
    tags: [],
  });
  return Array.from({ length: CHANGING }, (_, i) => {
    const sessionId = i + 1;
    const ids = { localTunnelId: CHANGING_TUNNEL, localSessionId: sessionId };
    const remote = { remoteTunnelId: CHANGING_TUNNEL, remoteSessionId: sessionId };
    return [
      dataplane.addChannel({ kind: "pppoe", peer, sessionId: 0xffff - sessionId }),
      dataplane.addChannel({ kind: "l2tp", peer: ends.core[0]!, ...ids, ...remote }),
    ] as const;
  });
}

function tell(answer: BareLacAnswer): void {
  if (process.send === undefined) console.log(JSON.stringify(answer));
  else process.send(answer);
}

const [engine = "", file = "", device = "", address = "", lnses = ""] = process.argv.slice(2);
if (engine !== "loop" && engine !== "xdp") throw new TypeError(`no engine is called "${engine}"`);
const sessions = parseSessions(readFileSync(file, "utf8"));
const opened = await open(engine, sessions, device, address, lnses.split(","));
process.on("disconnect", () => process.exit());
if (typeof opened === "string") {
  tell({ kind: "refused", reason: opened });
} else {
  const { dataplane, changes, frames } = opened;
  process.on("message", (plan: BareLacRequest) => {
    void alternate(plan, changes, frames).then((alternated) => tell({ kind: "alternated", ...alternated }));
  });
  tell({ kind: "ready", interfaces: dataplane.interfaces?.() ?? [] });
}
