import type { OtherEnd } from "../../io/link-features.ts";
import type { XdpMode } from "../../io/xdp.ts";

/** An interface that the program is on. */
export interface Attachment {
  readonly mode: XdpMode;
  /** Because of this one all are in generic mode. */
  readonly spoilsNative: boolean;
  /** What its driver has said against native mode; undefined: nothing, or it was not asked. */
  readonly refusal: string | undefined;
  /** Its driver transmits what is redirected to it. */
  readonly isTarget: boolean;
  /** Of a veth device. */
  readonly otherEnd: OtherEnd | undefined;
}

/** What an operator should know of an interface, each with what to do about it; none when all is well. */
export function interfaceFaults({
  mode,
  spoilsNative,
  refusal,
  isTarget,
  otherEnd,
}: Attachment): readonly string[] {
  const faults: string[] = [];
  if (!isTarget && mode === "native")
    faults.push(`what the program sends to it is lost${remedy(otherEnd, "gro on")}`);
  if (spoilsNative) {
    const why =
      refusal === undefined
        ? `the driver of this one does not transmit what is redirected to it${remedy(otherEnd, "gro on")}`
        : `the driver of this one refuses the program (${refusal})`;
    faults.push(`all interfaces are in generic mode, which is slower: ${why}`);
  }
  if (otherEnd !== undefined && otherEnd.hidesTags !== false) {
    const when = otherEnd.hidesTags === undefined ? "in case" : "since";
    const left = `tagged frames are left to the loop, ${when} its other end sends tags beside them`;
    faults.push(`${left}${remedy(otherEnd, "txvlan off")}`);
  }
  return faults;
}

function remedy(otherEnd: OtherEnd | undefined, change: string): string {
  if (otherEnd === undefined) return "";
  if (otherEnd.name === undefined)
    return ` (for its other end, in another namespace: ethtool -K ... ${change})`;
  return ` (ethtool -K ${otherEnd.name} ${change})`;
}
