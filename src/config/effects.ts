/**
 * What a change of a value does in a running gateway:
 * live: it holds at once, for sessions and tunnels that are there, too;
 * new-sessions: it holds for sessions and tunnels that begin from then on, and those that are there go on;
 * ends-sessions: sessions that rest on it are ended;
 * restart: it waits for the next start of the gateway.
 */
export type Effect = "live" | "new-sessions" | "ends-sessions" | "restart";

/**
 * By where a value is in the file; `[]` stands for a list's element, `*` for a name. What is not here holds for new
 * sessions.
 */
const EFFECTS: Readonly<Record<string, Effect>> = {
  name: "restart",
  "log.level": "live",
  "control.socket": "restart",
  "journal.size": "live",
  "data-plane.engine": "restart",
  "data-plane.max-channels": "restart",
  "data-plane.workers": "live",
  // by these a thing is the one that it was: with others it is removed, and another one is there
  "access[].interface": "ends-sessions",
  "l2tp.listen[].address": "ends-sessions",
  "l2tp.listen[].port": "ends-sessions",
  "l2tp.listen[].interface": "ends-sessions",
  "l2tp.peers[].name": "ends-sessions",
  "access[].padi-rate": "live",
  "access[].padi-rate-per-mac": "live",
  "access[].pado-delay": "live",
  "access[].drain": "live",
  "l2tp.drain": "live",
  "l2tp.peers[].hello-interval": "live",
  "l2tp.peers[].unknown-mandatory-avp": "live",
  "l2tp.peers[].max-sessions": "live",
  "l2tp.peers[].max-tunnels": "live",
  "l2tp.peers[].max-sessions-per-lns": "live",
  "l2tp.peers[].tunnel-idle-timeout": "live",
  "l2tp.peers[].address-control": "live",
  "l2tp.peers[].length-bit": "live",
  "l2tp.peers[].udp-checksum": "live",
  "l2tp.peers[].dscp": "live",
  "l2tp.peers[].control-dscp": "live",
  "l2tp.peers[].oversize": "live",
  "l2tp.peers[].path-mtu": "live",
};

/** With all that is in them, and in the files that they name. */
const API_ADDRESSES = "control.listen";

/** What a change of the value at such a place does: "l2tp.peers[].dscp". */
export function effectOf(place: string): Effect {
  return EFFECTS[place] ?? (place.startsWith(API_ADDRESSES) ? "live" : "new-sessions");
}

/** The places that effectOf() knows by themselves. */
export const PLACES_WITH_EFFECT: readonly string[] = Object.keys(EFFECTS);

/** What a shared device is made of: a change of these makes it anew, and ends the sessions on it. */
export const DEVICE_KEYS: readonly string[] = ["mode", "name", "netns", "mtu", "address", "ipv6"];
