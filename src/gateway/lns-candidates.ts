import type { Instant } from "../base/time.ts";
import { duration } from "../base/words.ts";
import type { LnsGroup, LnsLoad, LnsSelection } from "./lns-selection.ts";

const NOBODY: readonly string[] = [];

/**
 * What is known of each member of a group when a call is to go to one of them: "a good preference 1, 12 sessions". Of
 * one alone there is nothing to choose.
 */
export function candidatesOf(
  now: Instant,
  group: LnsGroup,
  selection: LnsSelection,
  load: LnsLoad,
): readonly string[] {
  if (group.members.length === 1) return NOBODY;
  return group.members.map(({ peer, preference, weight }) => {
    const terms = `${peer}: preference ${preference}, weight ${weight}, ${load.sessions(peer)} sessions, `;
    const lockedMs = selection.lockedForMs(now, group, peer);
    if (lockedMs > 0) return `${terms}${lockedOut(lockedMs)} (${selection.lockOf(peer)?.reason ?? ""})`;
    if (!load.hasRoom(peer)) return `${terms}no room`;
    const standing = selection.standing(now, group, peer);
    if (standing === "slow") return `${terms}slow: it owes somebody an answer`;
    const reach = load.reach(peer);
    return reach === "coming-up" ? `${terms}its tunnel is coming up` : `${terms}${reach}`;
  });
}

/** "locked out for 3m32s more". */
export function lockedOut(lockedMs: number): string {
  return `locked out for ${duration(Math.ceil(lockedMs / 1000))} more`;
}
