import type {
  L2tpLegView,
  PppoeOriginView,
  SessionRole,
  SessionState,
  SessionView,
} from "../../../src/gateway/views.ts";

export const STATE_TONES: Readonly<Record<SessionState, "good" | "plain" | "warn">> = {
  authenticating: "plain",
  calling: "plain",
  network: "plain",
  open: "good",
  closing: "warn",
};

/** What a session is to us, in words. */
export const ROLE_WORDS: Readonly<Record<SessionRole, string>> = {
  lac: "carried on to an LNS (LAC)",
  lts: "switched on to another LNS (LTS)",
  lns: "comes by L2TP and ends here (LNS)",
  pta: "ends here (PTA)",
};

/** "acc0 100.7", or the peer and the tunnel that brought it. */
export function originWords(origin: PppoeOriginView | L2tpLegView): string {
  if (origin.kind === "l2tp") return `${origin.peer}, tunnel ${origin.localTunnelId}`;
  return origin.vlans.length === 0 ? origin.interface : `${origin.interface} ${origin.vlans.join(".")}`;
}

/** Where it goes: an LNS, or what it has here. */
export function targetWords({ onward, address, device, unit }: SessionView): string {
  return onward?.peer ?? address ?? device ?? unit ?? "–";
}
