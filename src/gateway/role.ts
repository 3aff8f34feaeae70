import type { Instant } from "../base/time.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { Credentials } from "../ppp/authenticator.ts";
import type { Ipv4Up, Ipv6Up, NetworkProtocol } from "../ppp/link-types.ts";
import type { EndCause } from "./cause.ts";
import type { L2tpLegView, SessionRole } from "./views.ts";

/** What the data plane does with a session's channel at this moment. */
export type Joint =
  | { readonly state: "bridged"; readonly with: ChannelId }
  | { readonly state: "attached"; readonly device: string };

/** What a session's channel is joined to: an LNS (Forwarding) or a unit of ours (Termination). */
export interface Role {
  readonly kind: SessionRole;
  readonly onward: L2tpLegView | null;
  /** Of that, whom it goes to: asked of tens of thousands of sessions at once. */
  readonly onwardPeer: string | undefined;
  readonly unit: string | null;
  readonly device: string | null;
  readonly address: string | null;
  /** Undefined while the channel is punted. */
  readonly joint: Joint | undefined;
  /** The subscriber has begun LCP anew and says that he is the same user; nobody has verified it yet. */
  reauthenticated(credentials: Credentials, attempt: number): void;
  networkUp(up: Ipv4Up | Ipv6Up): void;
  networkDown(protocol: NetworkProtocol): void;
  deadline(): Instant;
  timeout(now: Instant): void;
  /** Tells the LNS, unless it was the one that ended. */
  hangUp(cause: EndCause): void;
  /** Takes the joint apart and gives back what it held. The session's own channel stays, punted. */
  release(): Promise<void>;
}
