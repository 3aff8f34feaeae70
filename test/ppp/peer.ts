/** A scripted CPE in front of a PppServer: what it sends is written down frame by frame. */

import { fromHex, utf8 } from "../../src/base/bytes.ts";
import { chapMd5Response } from "../../src/ppp/chap.ts";
import { PppServer, type PppServerConfig, type PppServerOutput } from "../../src/ppp/server.ts";
import { emitChap, parseChap } from "../../src/wire/chap.ts";
import { emitPap } from "../../src/wire/pap.ts";
import { emitPpp, PPP_CHAP, PPP_LCP, PPP_PAP, parsePpp } from "../../src/wire/ppp.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { ackOf, frame, framesOf } from "./frames.ts";
import { GRANT, SERVER } from "./pair.ts";

/** MRU 1492 and a magic number. */
export const PEER_OPTIONS = fromHex("010405d4 0506 11223344");

export function newServer(config: Partial<PppServerConfig> = {}): PppServer {
  return new PppServer({ ...SERVER, ...config }, seededRandom(7));
}

/** Brings LCP to Opened; what the server puts out last is returned. */
export function openLcp(server: PppServer, options: Uint8Array = PEER_OPTIONS): readonly PppServerOutput[] {
  const [request] = framesOf(server.start(0));
  server.receive(0, frame(PPP_LCP, 1, 1, options));
  return server.receive(0, ackOf(request!));
}

export function papRequest(identifier: number, password = "wonderland", user = "alice@isp"): Uint8Array {
  return emitPpp(
    PPP_PAP,
    emitPap({ kind: "authenticate-request", identifier, peerId: utf8(user), password: utf8(password) }),
  );
}

/** The answer to the challenge among `outputs`. */
export function chapResponse(outputs: readonly PppServerOutput[], password = "wonderland"): Uint8Array {
  const challenges = framesOf(outputs).map((octets) => parseChap(parsePpp(octets)!.information));
  const challenge = challenges.find((packet) => packet?.kind === "challenge");
  if (challenge === undefined || !("value" in challenge)) throw new Error("no challenge");
  const { identifier } = challenge;
  const value = chapMd5Response(identifier, utf8(password), challenge.value);
  return emitPpp(PPP_CHAP, emitChap({ kind: "response", identifier, value, name: utf8("alice@isp") }));
}

/** The attempt that the server asks about. */
export function attemptOf(outputs: readonly PppServerOutput[]): number {
  const asked = outputs.find((output) => output.kind === "authenticate");
  if (asked?.kind !== "authenticate") throw new Error("nobody was asked");
  return asked.attempt;
}

/** A server whose peer was let in with PAP: IPCP has begun. The last outputs are those of accept(). */
export function acceptedServer(config: Partial<PppServerConfig> = {}): {
  server: PppServer;
  outputs: readonly PppServerOutput[];
} {
  const server = newServer({ authentication: ["pap"], ...config });
  openLcp(server);
  const asked = server.receive(0, papRequest(1));
  return { server, outputs: server.accept(0, attemptOf(asked), GRANT) };
}
