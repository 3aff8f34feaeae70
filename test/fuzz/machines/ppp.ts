import { PppClient, type PppClientConfig } from "../../../src/ppp/client.ts";
import type { LinkOutput } from "../../../src/ppp/link-types.ts";
import {
  type Grant,
  PppServer,
  type PppServerConfig,
  type PppServerOutput,
} from "../../../src/ppp/server.ts";
import { emitPpp, PPP_LCP } from "../../../src/wire/ppp.ts";
import { CLIENT, GRANT, SERVER } from "../../ppp/pair.ts";
import { CAPTURED } from "../captures.ts";
import type { Dice } from "../dice.ts";
import { type Consequence, type Episode, ensure, type MachineTarget, type Step } from "../target.ts";
import { ensureFew, ensureSmall, strangers, timeoutOf, waitOut } from "./episode.ts";

/** A few Configure-Requests, each at most an MTU, and an answer to an authentication. */
const STATE_BYTES_MAX = 16_384;
const SERVER_END = 0;
const CLIENT_END = 1;

const stranger = strangers([
  ...CAPTURED.ppp,
  // Terminate-Request, Code-Reject of Configure-Request, Protocol-Rejects of LCP and of IPCP, Echo-Request
  ...["05010004", "0702000801010004", "0803000ac02101010004", "0804000680210101", "0905000801020304"].map(
    (hex) => emitPpp(PPP_LCP, Uint8Array.from(Buffer.from(hex, "hex"))),
  ),
]);

/** An authenticator response (RFC 2759 §5) for an attempt that is never looked at: the client will refuse it. */
const PROOF = `S=${"0".repeat(40)}`;
/** Options without a header: MRU, magic number, CHAP or PAP. */
const proxied = strangers([
  ...["010405d4050601020304", "010405d40305c22305", "010405d40304c0230506aabbccdd"].map((hex) =>
    Uint8Array.from(Buffer.from(hex, "hex")),
  ),
  new Uint8Array(0),
]);
const BOTH: Grant = { ...GRANT, ipv6: {} };

type Output = PppServerOutput | LinkOutput;

/** A server and a client, each of them told what the other says, or something like it. */
class PppEpisode implements Episode {
  readonly whims: readonly Consequence[] = [
    { end: SERVER_END, act: "terminate" },
    { end: CLIENT_END, act: "terminate" },
    { end: SERVER_END, act: "traffic" },
    { end: CLIENT_END, act: "start" },
    { end: SERVER_END, act: "start" },
  ];
  readonly #server: PppServer;
  readonly #client: PppClient;
  readonly #downs = [0, 0];

  constructor(server: PppServer, client: PppClient) {
    this.#server = server;
    this.#client = client;
  }

  stranger(dice: Dice): Consequence {
    return { end: dice.below(2), act: "receive", bytes: stranger(dice) };
  }

  apply(step: Step): readonly Consequence[] {
    const outputs = this.#outputs(step);
    ensureFew(outputs, 16);
    const consequences: Consequence[] = [];
    for (const output of outputs) {
      if (output.kind === "send")
        consequences.push({ end: 1 - step.end, act: "receive", bytes: output.frame });
      else if (output.kind === "authenticate") {
        const act = ["accept", "accept", "accept", "reject", "hold"][output.attempt % 5]!;
        const needsProof = output.credentials.method === "ms-chap-v2" ? 1 : 0;
        consequences.push({ end: step.end, act, numbers: [output.attempt, needsProof] });
      } else if (output.kind === "down") {
        this.#downs[step.end]! += 1;
        ensure(this.#downs[step.end] === 1, "the end is told twice");
      }
    }
    return consequences;
  }

  #outputs({ now, end, act, bytes, numbers }: Step): readonly Output[] {
    const machine = end === SERVER_END ? this.#server : this.#client;
    const attempt = numbers?.[0] ?? 0;
    switch (act) {
      case "receive":
        return machine.receive(now, bytes!);
      case "timeout":
        return timeoutOf<PppServer | PppClient>(machine, now);
      case "start":
        return machine.start(now);
      case "terminate":
        return machine.terminate(now, "tired");
      case "accept":
        return this.#server.accept(
          now,
          attempt,
          attempt % 2 === 0 ? GRANT : BOTH,
          numbers?.[1] === 1 ? PROOF : undefined,
        );
      case "reject":
        return this.#server.reject(now, attempt, "no");
      case "hold":
        ensure(this.#server.proxy()?.frame?.length !== 0, "an empty frame");
        return this.#server.hold(now, attempt);
      default:
        machine.onTraffic(now);
        return [];
    }
  }

  deadline(): number {
    return Math.min(this.#server.deadline(), this.#client.deadline());
  }

  checkBounds(): void {
    ensureSmall(this.#server, STATE_BYTES_MAX);
    ensureSmall(this.#client, STATE_BYTES_MAX);
  }

  finish(now: number): void {
    for (const machine of [this.#server, this.#client]) {
      machine.terminate(now, "the end");
      waitOut(machine, now);
    }
  }
}

/** Both ends in every combination of what can be configured. */
function begin(dice: Dice): Episode {
  const link = dice.chance(50) ? "pppoe" : "l2tp";
  const authentication = dice.pick<PppServerConfig["authentication"]>([
    ["chap-md5", "pap"],
    ["pap"],
    ["ms-chap-v2", "chap-md5", "pap"],
    [],
  ]);
  const accept = dice.pick<PppClientConfig["accept"]>([["chap-md5", "pap"], ["pap"], ["ms-chap-v2"]]);
  const server = new PppServer({ ...SERVER, link, authentication }, dice);
  const client = new PppClient({ ...CLIENT, link, accept, ipv6: dice.chance(50) }, dice);
  return new PppEpisode(server, client);
}

/** An LNS that goes on from what a LAC says that it has negotiated, which anybody may say. */
function beginProxied(dice: Dice): Episode {
  const octets = () => proxied(dice).subarray(0, 1 + dice.below(64));
  const name = octets();
  const identifier = dice.below(256);
  const { server } = PppServer.adopt(
    { ...SERVER, link: "l2tp", authentication: dice.chance(50) ? ["chap-md5", "pap"] : [] },
    dice,
    1000,
    {
      lcp: {
        initialReceivedConfReq: undefined,
        lastSentConfReq: proxied(dice),
        lastReceivedConfReq: proxied(dice),
      },
      authentication: dice.chance(50)
        ? { type: "pap", name, identifier, response: octets() }
        : { type: "chap-md5", name, identifier, challenge: octets(), response: octets() },
    },
    dice.pick(["adopt", "renegotiate"]),
  );
  return new PppEpisode(server, new PppClient({ ...CLIENT, link: "l2tp" }, dice));
}

export const PPP_MACHINES: readonly MachineTarget[] = [
  {
    kind: "machine",
    name: "ppp-proxied",
    longestEpisode: 500,
    begin: beginProxied,
    opening: [{ end: CLIENT_END, act: "start" }],
  },
  {
    kind: "machine",
    name: "ppp-machines",
    longestEpisode: 3000,
    begin,
    opening: [
      { end: SERVER_END, act: "start" },
      { end: CLIENT_END, act: "start" },
    ],
  },
];
