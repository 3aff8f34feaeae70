import type { L2tpChannelSpec } from "../../../src/channel/dataplane.ts";
import { emitL2tpMessage } from "../../../src/dataplane/l2tp-message.ts";
import { laneOfPort, uncheckedLaneOfPort } from "../../../src/dataplane/loop/tables.ts";
import { emitPppoeFrame } from "../../../src/dataplane/pppoe-frame.ts";
import { emitPpp, PPP_IPV4, PPP_IPV6 } from "../../../src/wire/ppp.ts";
import { makeWorkerParts, type Sent } from "../../dataplane/loop/worker-parts.ts";
import { CAPTURED } from "../captures.ts";
import { IP_PACKETS } from "../codecs/ip.ts";
import { CONTROL_DATAGRAMS } from "../codecs/l2tp.ts";
import type { Dice } from "../dice.ts";
import { SUPER_SEGMENTS } from "../super-segments.ts";
import { type Consequence, type Episode, ensure, type MachineTarget, type Step } from "../target.ts";
import { strangers } from "./episode.ts";

const OURS = Uint8Array.of(2, 0, 0, 0, 0, 1);
const THEIRS = Uint8Array.of(2, 0, 0, 0, 0, 2);
const LNS = "192.0.2.2";
const STRANGER = "198.51.100.7";
const TUNNEL = 7;
const LONGEST_FRAME = 4096 + 64;
/** Of those of `IP_PACKETS`, both ways. */
const SUBSCRIBER = ["192.0.2.1", "192.0.2.2", "2001:db8::/32"];
const UNITS = 4;
/** The punt ring of the parts, and as much again for what is read out of it. */
const PUNTS_MAX = 4096;

const subscriber = { kind: "ethernet", port: 0, remoteMac: OURS, localMac: THEIRS, tags: [] } as const;
/** IP of the attached ones, and what is left of the captured. */
const PPP_FRAMES = [
  ...IP_PACKETS.map((packet) => emitPpp(packet[0]! >>> 4 === 4 ? PPP_IPV4 : PPP_IPV6, packet)),
  ...CAPTURED.ppp.slice(0, 20),
];
const fromAccess = strangers([
  ...CAPTURED.frames,
  ...PPP_FRAMES.flatMap((ppp, i) => [emitPppoeFrame(subscriber, 1 + (i % 6), ppp)]),
]);
const fromNetwork = strangers([
  ...CONTROL_DATAGRAMS,
  ...PPP_FRAMES.flatMap((ppp, i) => [emitL2tpMessage(i % 4, TUNNEL, 1 + (i % 6), ppp)]),
]);
const fromUnit = strangers([...IP_PACKETS, ...CAPTURED.ipv4]);
const fromHost = strangers(SUPER_SEGMENTS);

type Parts = ReturnType<typeof makeWorkerParts>;

/** Gives a channel a unit: one of its own, or one that many could share. */
function attach(parts: Parts, channel: number, shared: boolean): void {
  const unitSpec = { name: "unit", mtuBytes: 1400, addresses: [], routes: [], shared };
  const unit = parts.registry.addUnit(unitSpec);
  const spec = { unit, addresses: SUBSCRIBER, mruBytes: 1400, clampMss: true, ipv6: shared };
  parts.writer.addUnit(unit, unitSpec);
  parts.units.open(unit, 20 + unit, true);
  parts.registry.attach(channel, spec);
  parts.writer.attach(channel, spec, unitSpec);
}

/** One worker of the forwarding loop without a kernel: of each kind of channel two bridged, punted and attached. */
class LoopEpisode implements Episode {
  readonly whims: readonly Consequence[] = [{ end: 0, act: "time" }];
  readonly #parts: Parts;
  readonly #access: number;
  readonly #tunnel: number;

  constructor(dice: Dice) {
    const parts = makeWorkerParts();
    const port = { kind: "ethernet", ifindex: 1, name: "acc0", mtuBytes: 1500 } as const;
    this.#access = parts.openPort(port, laneOfPort, "packet", 10);
    this.#tunnel = parts.openPort(
      { kind: "udp", address: "192.0.2.1", udpPort: 1701 },
      laneOfPort,
      "udp",
      11,
    );
    parts.transmitter.open(uncheckedLaneOfPort(parts.tables.sizes, this.#tunnel), "udp", 12);
    const host = parts.peer({ ...subscriber, port: this.#access, remoteMac: THEIRS, localMac: OURS });
    const lns = parts.peer({
      kind: "udp",
      port: this.#tunnel,
      address: LNS,
      udpPort: 1701,
      pathMtuBytes: 1500,
      addressControl: dice.chance(50),
      lengthBit: dice.chance(50),
      checksum: dice.chance(50),
      oversize: dice.chance(50) ? "fragment" : "drop",
    });
    for (let id = 1; id <= 6; id++) {
      const pppoe = parts.channel({ kind: "pppoe", peer: host, sessionId: id });
      const spec: L2tpChannelSpec = {
        kind: "l2tp",
        peer: lns,
        localTunnelId: TUNNEL,
        localSessionId: id,
        remoteTunnelId: 0x1234,
        remoteSessionId: id,
      };
      const l2tp = parts.channel(spec);
      if (id <= 2) parts.bridge(pppoe, l2tp);
      else if (id >= 5) for (const channel of [pppoe, l2tp]) attach(parts, channel, id === 5);
    }
    this.#parts = parts;
  }

  stranger(dice: Dice): Consequence {
    const kind = dice.below(11);
    if (kind === 10) return { end: 0, act: "host", bytes: fromHost(dice), numbers: [dice.below(UNITS)] };
    if (kind < 5) return { end: 0, act: "ethernet", bytes: fromAccess(dice) };
    if (kind === 9) return { end: 0, act: "unit", bytes: fromUnit(dice), numbers: [dice.below(UNITS)] };
    // as one datagram, or as a group that the kernel has coalesced, of any segment size
    const bytes = fromNetwork(dice);
    const segment = dice.chance(60) ? bytes.length : 1 + dice.below(bytes.length + 8);
    return { end: 0, act: "udp", bytes, numbers: [dice.chance(80) ? 0 : 1, segment] };
  }

  apply({ act, bytes, numbers }: Step): readonly Consequence[] {
    const sent = this.#sent(act, bytes ?? new Uint8Array(0), numbers ?? []);
    const segments = Math.ceil((bytes?.length ?? 0) / Math.max(1, numbers?.[1] ?? LONGEST_FRAME));
    // what the host hands over may be cut into segments of one octet
    const most = act === "host" ? (bytes?.length ?? 0) : segments;
    ensure(sent.length <= Math.max(1, most), `${sent.length} frames sent for one`);
    for (const { octets } of sent) ensure(octets.length <= (bytes?.length ?? 0) + 64, "more sent than came");
    ensure(this.#parts.punts().length <= PUNTS_MAX, "more punts than the ring holds");
    return [];
  }

  #sent(act: string, bytes: Uint8Array, [from, segment]: readonly number[]): readonly Sent[] {
    switch (act) {
      case "ethernet":
        return this.#parts.ethernet(this.#access, bytes);
      case "udp":
        return this.#parts.udp(this.#tunnel, from === 0 ? LNS : STRANGER, 1701, bytes, Math.max(1, segment!));
      case "host":
        return this.#parts.host(from!, bytes);
      case "unit":
        return this.#parts.unit(from!, bytes);
      default:
        this.#parts.passTime(1000);
        return [];
    }
  }

  deadline(): number {
    return Number.POSITIVE_INFINITY;
  }

  checkBounds(): void {
    const counted = Object.values(this.#parts.drops()).reduce((sum, count) => sum + count, 0);
    ensure(Number.isSafeInteger(counted), "a counter that is no number");
  }

  finish(): void {
    this.checkBounds();
  }
}

export const DATAPLANE_MACHINES: readonly MachineTarget[] = [
  {
    kind: "machine",
    name: "forwarding-loop",
    longestEpisode: 20_000,
    begin: (dice) => new LoopEpisode(dice),
    opening: [],
  },
];
