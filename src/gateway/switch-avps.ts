import type { L2tpPeerConfig } from "../config/config.ts";
import { VENDOR_BROADBAND_FORUM } from "../wire/l2tp-access-line.ts";
import { ATTRIBUTE_BY_TYPE, ATTRIBUTES } from "../wire/l2tp-attributes.ts";
import type { RelayedAvp } from "../wire/l2tp-messages.ts";

type NamedPolicy = Exclude<keyof L2tpPeerConfig["switchAvps"], "other" | "accessLine">;

/** The AVPs that go on octet by octet, if they do. What has another policy than by its octets is not among them. */
const POLICY_OF: ReadonlyMap<number, NamedPolicy> = new Map([
  [ATTRIBUTES.bearerType.type, "bearerType"],
  [ATTRIBUTES.calledNumber.type, "calledNumber"],
  [ATTRIBUTES.callingNumber.type, "callingNumber"],
  [ATTRIBUTES.subAddress.type, "subAddress"],
  [ATTRIBUTES.physicalChannelId.type, "physicalChannelId"],
  [ATTRIBUTES.privateGroupId.type, "privateGroupId"],
]);

/**
 * Those AVPs of an ICRQ or ICCN that go on to the next LNS as they came, by its peer's policy. Ids, speeds, proxy AVPs
 * and what is about the data channel are values of the message: they are not among them.
 */
export function relayedAvps(
  avps: readonly RelayedAvp[] | undefined,
  peer: Pick<L2tpPeerConfig, "switchAvps" | "accessLineAvps">,
): readonly RelayedAvp[] {
  const { switchAvps, accessLineAvps } = peer;
  const relayed: RelayedAvp[] = [];
  for (const avp of avps ?? []) {
    if (avp.vendor === VENDOR_BROADBAND_FORUM) {
      // RFC 5515 §5: the M bit should be 0, and an LNS that does not know them must not end the call for it
      if (accessLineAvps && switchAvps.accessLine === "relay") relayed.push({ ...avp, mandatory: false });
      continue;
    }
    const named = avp.vendor === 0 ? POLICY_OF.get(avp.type) : undefined;
    const known = avp.vendor === 0 && ATTRIBUTE_BY_TYPE[avp.type] !== undefined;
    // with the M bit, the next LNS would end the call for what we ourselves have only put up with
    const isOther = !known && !avp.mandatory;
    if (named === undefined ? isOther && switchAvps.other === "relay" : switchAvps[named] === "relay")
      relayed.push(avp);
  }
  return relayed;
}
