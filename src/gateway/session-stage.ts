import { type Instant, NEVER } from "../base/time.ts";
import type { EndCause } from "./cause.ts";
import type { SessionRole, SessionState } from "./views.ts";

/** How far a session has come. */
export type Stage =
  /** PPPoE: for the CPE's first frame. L2TP: for ICCN. */
  | { readonly kind: "waiting"; readonly until: Instant }
  | { readonly kind: "authenticating" }
  /** The role is at work: it calls the LNS, or makes a unit and negotiates IPCP. */
  | { readonly kind: "joining" }
  | { readonly kind: "open" }
  | { readonly kind: "leaving"; readonly cause: EndCause; readonly until: Instant }
  | { readonly kind: "ended" };

/** One each for all sessions. */
export const UNHEARD: Stage = { kind: "waiting", until: NEVER };
export const AUTHENTICATING: Stage = { kind: "authenticating" };
export const JOINING: Stage = { kind: "joining" };
export const OPEN: Stage = { kind: "open" };
export const ENDED: Stage = { kind: "ended" };

/** A stage in an operator's words. */
export function stateOf(stage: Stage, role: SessionRole | undefined): SessionState {
  switch (stage.kind) {
    case "waiting":
    case "authenticating":
      return "authenticating";
    case "joining":
      return role === "lac" || role === "lts" ? "calling" : "network";
    case "open":
      return "open";
    default:
      return "closing";
  }
}
