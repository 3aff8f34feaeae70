import type { L2tpAddress, L2tpEndpointConfig } from "../../../src/l2tp/config.ts";
import { L2tpEndpoint } from "../../../src/l2tp/endpoint.ts";
import type { L2tpOutput } from "../../../src/l2tp/outputs.ts";
import { parseL2tp } from "../../../src/wire/l2tp.ts";
import { CONTROL_DATAGRAMS } from "../codecs/l2tp.ts";
import type { Dice } from "../dice.ts";
import { type Consequence, type Episode, ensure, type MachineTarget, type Step } from "../target.ts";
import { ensureFew, ensureSmall, strangers, timeoutOf, waitOut } from "./episode.ts";

const MAX_TUNNELS = 16;
const MAX_HALF_OPEN = 8;
const MAX_SESSIONS = 16;
/** A tunnel's windows hold 128 messages each way, of up to a datagram. */
const STATE_BYTES_MAX = MAX_TUNNELS * (2 * 128 * 4200 + MAX_SESSIONS * 4096);
const LAC = 0;
const LNS = 1;

const address = (host: string, port = 1701): L2tpAddress => ({ address: host, port, portKey: 1 });
const ADDRESSES = [address("192.0.2.1"), address("192.0.2.2")];
const ELSEWHERE = [
  ...ADDRESSES,
  address("192.0.2.1", 1024),
  address("198.51.100.7"),
  address("2001:db8::7", 5000),
];

const stranger = strangers(CONTROL_DATAGRAMS);

function configs(dice: Dice): readonly L2tpEndpointConfig[] {
  const secret = dice.chance(50) ? { secret: "tunnel-secret", hideAvps: dice.chance(50) } : {};
  const peer = {
    ...secret,
    maxSessions: MAX_SESSIONS,
    receiveWindow: 1 + dice.below(128),
    helloIntervalMs: 5000,
    followAddress: dice.chance(30),
  };
  const limits = { maxTunnels: MAX_TUNNELS, maxHalfOpenTunnels: MAX_HALF_OPEN };
  return [
    {
      ...limits,
      hostName: "lac.example",
      peers: [{ ...peer, name: "other", remote: ADDRESSES[LNS]!, accept: true }],
    },
    {
      ...limits,
      hostName: "lns.example",
      peers: [{ ...peer, name: "other", remote: ADDRESSES[LAC]!, accept: true }],
    },
  ];
}

/** Two endpoints that call each other, and whoever else sends datagrams. */
class L2tpEpisode implements Episode {
  readonly whims: readonly Consequence[] = [
    { end: LAC, act: "open" },
    { end: LAC, act: "place" },
    { end: LAC, act: "place" },
    { end: LAC, act: "place" },
    { end: LNS, act: "open" },
    { end: LNS, act: "place" },
    { end: LAC, act: "close-session" },
    { end: LNS, act: "close-session" },
    { end: LNS, act: "close-tunnel" },
  ];
  readonly #endpoints: readonly L2tpEndpoint[];

  constructor(dice: Dice) {
    this.#endpoints = configs(dice).map((config) => new L2tpEndpoint(config, dice));
  }

  stranger(dice: Dice): Consequence {
    const end = dice.below(2);
    const bytes = stranger(dice);
    const tunnels = this.#endpoints[end]!.tunnels();
    // to a tunnel that is there, with numbers that may be in turn: at random nobody would find one
    if (tunnels.length > 0 && bytes.length >= 12 && dice.chance(70)) {
      const { tunnel } = dice.pick(tunnels);
      const session = this.#endpoints[end]!.sessions(tunnel)[0]?.session ?? 0;
      const ns = dice.below(6);
      bytes.set([tunnel >>> 8, tunnel, session >>> 8, session, 0, ns, 0, dice.below(6)], 4);
    }
    return { end, act: "receive", bytes, numbers: [dice.below(ELSEWHERE.length)] };
  }

  apply(step: Step): readonly Consequence[] {
    const outputs = this.#outputs(step);
    ensureFew(outputs, MAX_TUNNELS * 300);
    const consequences: Consequence[] = [];
    for (const output of outputs) {
      if (output.kind === "send") {
        ensure(typeof parseL2tp(output.datagram) !== "string", "no datagram");
        const to = output.to.address === ADDRESSES[1 - step.end]!.address ? 1 - step.end : undefined;
        if (to !== undefined)
          consequences.push({ end: to, act: "receive", bytes: output.datagram, numbers: [step.end] });
      } else if (output.kind === "call-offered") {
        const act = output.session % 7 === 0 ? "close-session" : "accept";
        consequences.push({ end: step.end, act, numbers: [output.tunnel, output.session] });
      } else if (output.kind === "call-accepted") {
        consequences.push({ end: step.end, act: "connect", numbers: [output.tunnel, output.session] });
      }
    }
    return consequences;
  }

  #outputs({ now, end, act, bytes, numbers }: Step): readonly L2tpOutput[] {
    const endpoint = this.#endpoints[end]!;
    const [first, second] = numbers ?? [];
    const tunnels = endpoint.tunnels();
    const tunnel = first ?? tunnels[now % tunnels.length]?.tunnel ?? 0;
    switch (act) {
      case "receive":
        return endpoint.receive(now, ELSEWHERE[first ?? 0]!, bytes!);
      case "timeout":
        return timeoutOf(endpoint, now);
      case "open":
        return endpoint.openTunnel(now, "other").outputs;
      case "place":
        return endpoint.placeCall(now, tunnel, { callSerialNumber: now, callingNumber: "5551234" }).outputs;
      case "accept":
        return endpoint.acceptCall(now, tunnel, second!);
      case "connect":
        return endpoint.connectCall(now, tunnel, second!, { txConnectSpeed: 1_000_000, framingType: 1 });
      case "close-tunnel":
        return endpoint.closeTunnel(now, tunnel, { result: 1 });
      default: {
        const sessions = endpoint.sessions(tunnel);
        const session = second ?? sessions[now % sessions.length]?.session ?? 0;
        return endpoint.closeSession(now, tunnel, session, { result: 3 });
      }
    }
  }

  deadline(): number {
    return Math.min(...this.#endpoints.map((endpoint) => endpoint.deadline()));
  }

  checkBounds(): void {
    for (const endpoint of this.#endpoints) {
      const tunnels = endpoint.tunnels();
      ensure(tunnels.length <= MAX_TUNNELS, `${tunnels.length} tunnels`);
      for (const { sessions } of tunnels)
        ensure(sessions <= MAX_SESSIONS, `${sessions} sessions in a tunnel`);
      ensureSmall(endpoint, STATE_BYTES_MAX);
    }
  }

  finish(now: number): void {
    for (const endpoint of this.#endpoints) {
      endpoint.shutdown(now);
      waitOut(endpoint, now);
      ensure(endpoint.tunnels().length === 0, "tunnels are left");
    }
  }
}

export const L2TP_MACHINES: readonly MachineTarget[] = [
  {
    kind: "machine",
    name: "l2tp-machines",
    longestEpisode: 5000,
    begin: (dice) => new L2tpEpisode(dice),
    opening: [{ end: LAC, act: "open" }],
  },
];
