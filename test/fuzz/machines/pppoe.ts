import { AccessConcentrator } from "../../../src/pppoe/access-concentrator.ts";
import type { AccessConcentratorOutput } from "../../../src/pppoe/access-concentrator-types.ts";
import { PppoeClient } from "../../../src/pppoe/client.ts";
import { DEFAULT_PPPOE_CLIENT_RETRY, type PppoeClientOutput } from "../../../src/pppoe/client-types.ts";
import { parseEthernet } from "../../../src/wire/ethernet.ts";
import { AC_MAC, acConfig, hostMac } from "../../pppoe/support.ts";
import { DISCOVERY_FRAMES } from "../codecs/pppoe.ts";
import type { Dice } from "../dice.ts";
import { type Consequence, type Episode, ensure, type MachineTarget, type Step } from "../target.ts";
import { ensureFew, ensureSmall, strangers, timeoutOf, waitOut } from "./episode.ts";

const AC_END = 0;
const MAX_SESSIONS = 32;
const TRACKED_MACS = 64;
/** A session with what its PADS repeats, which may be most of a PADR each; and the buckets of those tracked. */
const AC_STATE_BYTES_MAX = 32_768 + MAX_SESSIONS * 2048 + TRACKED_MACS * 512;
const CLIENT_STATE_BYTES_MAX = 8192;
const SERVICES = ["", "internet"];

const stranger = strangers(
  DISCOVERY_FRAMES.map((frame) => {
    const toUs = frame.slice();
    if (toUs[0] !== 0xff) toUs.set(AC_MAC, 0);
    return toUs;
  }),
);

/** A concentrator and one host after the other, and everybody else who can send frames. */
class PppoeEpisode implements Episode {
  readonly whims: readonly Consequence[];
  readonly #concentrator: AccessConcentrator;
  readonly #dice: Dice;
  #client: PppoeClient;
  #hosts = 0;

  constructor(dice: Dice) {
    this.#dice = dice;
    const limits = {
      maxSessions: MAX_SESSIONS,
      trackedMacs: TRACKED_MACS,
      maxSessionsPerMac: 1 + dice.below(3),
    };
    this.#concentrator = new AccessConcentrator(acConfig({ limits }), dice);
    this.#client = this.#nextHost();
    this.whims = [
      { end: AC_END, act: "stray", numbers: [dice.below(0x10000)] },
      { end: 1, act: "start" },
      { end: 1, act: "close" },
      { end: 1, act: "next-host" },
    ];
  }

  stranger(dice: Dice): Consequence {
    const bytes = stranger(dice);
    // towards a host: its own address, or nobody would look at it
    const end = dice.below(4) === 0 ? 1 : AC_END;
    if (end === 1 && bytes.length >= 6) bytes.set(hostMac(this.#hosts), 0);
    return { end, act: "receive", bytes };
  }

  apply(step: Step): readonly Consequence[] {
    const outputs = this.#outputs(step);
    ensureFew(outputs, MAX_SESSIONS * 2);
    const consequences: Consequence[] = [];
    for (const output of outputs) {
      if (output.kind === "send") {
        ensure(parseEthernet(output.frame) !== undefined && output.frame.length <= 1522, "no frame");
        consequences.push({ end: 1 - step.end, act: "receive", bytes: output.frame });
      } else if (output.kind === "session-requested") {
        const numbers = [output.sessionId];
        const act = output.sessionId % 5 === 0 ? "refuse" : "confirm";
        consequences.push({ end: AC_END, act, numbers });
        if (output.sessionId % 3 === 0) consequences.push({ end: AC_END, act: "close", numbers });
        if (output.sessionId % 6 === 0) consequences.push({ end: AC_END, act: "ended", numbers });
      } else if (output.kind === "session-closed") {
        consequences.push({ end: AC_END, act: "ended", numbers: [output.sessionId] });
      }
    }
    return consequences;
  }

  #outputs(step: Step): readonly (AccessConcentratorOutput | PppoeClientOutput)[] {
    return step.end === AC_END ? this.#atConcentrator(step) : this.#atHost(step);
  }

  #atConcentrator({ now, act, bytes, numbers }: Step): readonly AccessConcentratorOutput[] {
    const ac = this.#concentrator;
    const sessionId = numbers?.[0] ?? 0;
    switch (act) {
      case "receive":
        return ac.receive(now, bytes!);
      case "timeout":
        return timeoutOf(ac, now);
      case "confirm":
        return ac.confirm(now, sessionId);
      case "refuse":
        return ac.refuse(now, sessionId, "no room");
      case "close":
        return ac.close(now, sessionId, "the end");
      case "ended":
        ac.ended(now, sessionId);
        return [];
      default:
        return ac.unknownSession(now, {
          remoteMac: hostMac(sessionId),
          localMac: AC_MAC,
          tags: [],
          sessionId,
        });
    }
  }

  #atHost({ now, act, bytes }: Step): readonly PppoeClientOutput[] {
    switch (act) {
      case "receive":
        return this.#client.receive(now, bytes!);
      case "timeout":
        return timeoutOf(this.#client, now);
      case "start":
        return this.#client.start(now);
      case "close":
        return this.#client.close(now);
      default:
        this.#client = this.#nextHost();
        return this.#client.start(now);
    }
  }

  #nextHost(): PppoeClient {
    this.#hosts += 1;
    const serviceName = SERVICES[this.#hosts % 2]!;
    return new PppoeClient(
      {
        localMac: hostMac(this.#hosts),
        tags: [],
        serviceName,
        maxPayloadBytes: 1500,
        retry: DEFAULT_PPPOE_CLIENT_RETRY,
      },
      this.#dice,
    );
  }

  deadline(): number {
    return Math.min(this.#concentrator.deadline(), this.#client.deadline());
  }

  checkBounds(): void {
    ensure(this.#concentrator.sessions().length <= MAX_SESSIONS, "more sessions than may be");
    ensureSmall(this.#concentrator, AC_STATE_BYTES_MAX);
    ensureSmall(this.#client, CLIENT_STATE_BYTES_MAX);
  }

  finish(now: number): void {
    this.#client.close(now);
    for (const { sessionId } of [...this.#concentrator.sessions()]) {
      this.#concentrator.close(now, sessionId);
      this.#concentrator.ended(now, sessionId);
    }
    waitOut(this.#client, now);
    waitOut(this.#concentrator, now);
    ensure(this.#concentrator.sessions().length === 0, "sessions are left");
  }
}

export const PPPOE_MACHINES: readonly MachineTarget[] = [
  {
    kind: "machine",
    name: "pppoe-machines",
    longestEpisode: 5000,
    begin: (dice) => new PppoeEpisode(dice),
    opening: [{ end: 1, act: "start" }],
  },
];
