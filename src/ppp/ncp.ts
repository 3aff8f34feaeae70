import type { RandomSource } from "../base/random.ts";
import { PPP_IPCP, PPP_IPV6CP } from "../wire/ppp.ts";
import { IpcpClientPolicy, IpcpServerPolicy } from "./ipcp.ts";
import { Ipv6cpPolicy } from "./ipv6cp.ts";
import type { NcpState } from "./link.ts";
import { Negotiation } from "./negotiation.ts";
import type { PppTimers } from "./timers.ts";

/** A network control protocol at work on its state: made when needed, because only the state stays. */
export interface Ncp {
  readonly protocolNumber: number;
  readonly policy: IpcpServerPolicy | IpcpClientPolicy | Ipv6cpPolicy;
  readonly negotiation: Negotiation;
}

export function ncpFor(state: NcpState, random: RandomSource, timers: PppTimers): Ncp {
  const policy = policyFor(state, random);
  return {
    protocolNumber: state.protocol === "ipv4" ? PPP_IPCP : PPP_IPV6CP,
    policy,
    negotiation: new Negotiation(policy, timers, state.negotiation),
  };
}

function policyFor(state: NcpState, random: RandomSource): Ncp["policy"] {
  if (state.protocol === "ipv6") return new Ipv6cpPolicy(random, state);
  return state.role === "server" ? new IpcpServerPolicy(state) : new IpcpClientPolicy(state);
}
