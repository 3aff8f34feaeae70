import { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import {
  type AccessConcentratorConfig,
  type AccessConcentratorLimits,
  type AccessConcentratorOutput,
  DEFAULT_ACCESS_CONCENTRATOR_LIMITS,
} from "../../src/pppoe/access-concentrator-types.ts";
import {
  type DiscoveryFrame,
  emitDiscoveryFrame,
  readDiscoveryFrame,
} from "../../src/pppoe/discovery-frame.ts";
import { BROADCAST_MAC, type VlanTag } from "../../src/wire/ethernet.ts";
import { PADI, PADO, PADR } from "../../src/wire/pppoe.ts";
import {
  findTag,
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_SERVICE_NAME,
  textTag,
} from "../../src/wire/pppoe-tags.ts";
import { seededRandom } from "../support/seeded-random.ts";

export const AC_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0xac);

/** The n-th host's address. */
export function hostMac(n: number): Uint8Array {
  return Uint8Array.of(2, 1, n >>> 24, n >>> 16, n >>> 8, n);
}

export interface ConfigChange extends Partial<Omit<AccessConcentratorConfig, "limits">> {
  readonly limits?: Partial<AccessConcentratorLimits>;
}

export function acConfig(change: ConfigChange = {}): AccessConcentratorConfig {
  return {
    acName: "lacewing",
    localMac: AC_MAC,
    services: { offered: [], acceptUnlisted: true, acceptEmpty: true },
    ...change,
    limits: { ...DEFAULT_ACCESS_CONCENTRATOR_LIMITS, ...change.limits },
  };
}

export function concentrator(change: ConfigChange = {}, seed = 1): AccessConcentrator {
  return new AccessConcentrator(acConfig(change), seededRandom(seed));
}

export interface Sent {
  readonly host?: Uint8Array;
  readonly vlanTags?: readonly VlanTag[];
  readonly destination?: Uint8Array;
  readonly code: number;
  readonly sessionId?: number;
  readonly tags?: readonly PppoeTag[];
}

/** A frame from a host: by default to the concentrator, for any service. */
export function fromHost(sent: Sent): Uint8Array {
  return emitDiscoveryFrame({
    destination: sent.destination ?? (sent.code === PADI ? BROADCAST_MAC : AC_MAC),
    source: sent.host ?? hostMac(1),
    vlanTags: sent.vlanTags ?? [],
    packet: {
      code: sent.code,
      sessionId: sent.sessionId ?? 0,
      tags: sent.tags ?? [textTag(TAG_SERVICE_NAME, "")],
    },
  });
}

type Sendable = AccessConcentratorOutput | { readonly kind: string; readonly frame?: Uint8Array };

/** The discovery frames among outputs, read. */
export function frames(outputs: readonly Sendable[]): readonly DiscoveryFrame[] {
  return outputs.flatMap((output) => {
    if (output.kind !== "send") return [];
    const frame = readDiscoveryFrame((output as { frame: Uint8Array }).frame);
    if (typeof frame === "string") throw new Error(`sent what cannot be read: ${frame}`);
    return [frame];
  });
}

export function codes(outputs: readonly Sendable[]): readonly number[] {
  return frames(outputs).map(({ packet }) => packet.code);
}

export function events(outputs: readonly AccessConcentratorOutput[]) {
  return outputs.filter((output) => output.kind !== "send");
}

/** The cookie that a PADI gets; undefined when it is not answered. */
export function cookieFor(ac: AccessConcentrator, now: number, sent: Omit<Sent, "code"> = {}) {
  const offer = frames(ac.receive(now, fromHost({ ...sent, code: PADI }))).find(
    ({ packet }) => packet.code === PADO,
  );
  return offer && findTag(offer.packet.tags, TAG_AC_COOKIE);
}

/** A PADR with a cookie of its own; returns what the concentrator does with it. */
export function call(ac: AccessConcentrator, now: number, sent: Omit<Sent, "code"> = {}) {
  const cookie = cookieFor(ac, now, sent);
  if (cookie === undefined) throw new Error("the PADI was not answered");
  const tags = sent.tags ?? [textTag(TAG_SERVICE_NAME, "")];
  const padr = fromHost({ ...sent, code: PADR, tags: [...tags, { type: TAG_AC_COOKIE, value: cookie }] });
  const outputs = ac.receive(now, padr);
  const request = outputs.find((output) => output.kind === "session-requested");
  return {
    padr,
    cookie,
    outputs,
    session: request?.session ?? 0,
    sessionId: request?.sessionId ?? 0,
  };
}
