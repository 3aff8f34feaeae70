import { formatIpAddress } from "../wire/ip-address.ts";
import { PROTOCOL_UDP } from "../wire/ipv4.ts";
import { type DefaultPolicy, type PacketFlow, policyApplies, type XfrmPolicy } from "../wire/xfrm-policy.ts";

/** Datagrams that go both ways between two sockets. Addresses: 4 or 16 octets. */
export interface UdpConversation {
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  readonly remoteAddress: Uint8Array;
  readonly remotePort: number;
}

/** The host's IPsec policies at one moment, as far as datagrams of sockets are concerned. */
export class IpsecPolicySet {
  readonly #policies: readonly XfrmPolicy[];
  readonly #rest: DefaultPolicy;

  /** `rest`: what becomes of packets for which there is none. */
  constructor(policies: readonly XfrmPolicy[], rest: DefaultPolicy) {
    this.#policies = policies.filter(
      ({ protocol, action, ifindex }) =>
        (protocol === 0 || protocol === PROTOCOL_UDP) &&
        // the way may change: one device's exception is none
        (action !== "plain" || ifindex === 0),
    );
    this.#rest = rest;
  }

  /** Why the datagrams may not go, or come, as they are; undefined when they may. */
  obstacle(conversation: UdpConversation): string | undefined {
    const { localAddress, localPort, remoteAddress, remotePort } = conversation;
    const sent = {
      protocol: PROTOCOL_UDP,
      source: localAddress,
      sourcePort: localPort,
      destination: remoteAddress,
      destinationPort: remotePort,
    };
    const received = {
      protocol: PROTOCOL_UDP,
      source: remoteAddress,
      sourcePort: remotePort,
      destination: localAddress,
      destinationPort: localPort,
    };
    return this.#judge("out", sent) ?? this.#judge("in", received);
  }

  #judge(direction: XfrmPolicy["direction"], flow: PacketFlow): string | undefined {
    const applying = this.#policies.filter(
      (policy) => policy.direction === direction && policyApplies(policy, flow),
    );
    const blocks = direction === "out" ? this.#rest.blocksOut : this.#rest.blocksIn;
    if (applying.length === 0)
      return blocks ? `by default an IPsec policy blocks ${textOf(flow)}` : undefined;
    // which of two with one priority holds is not told: the stricter one then
    const obstacle = applying.find(
      ({ action, type, priority }) =>
        action !== "plain" && !applying.some((other) => other.type === type && other.priority < priority),
    );
    return obstacle && `an IPsec policy ${obstacle.action}s ${textOf(flow)}`;
  }
}

function textOf({ source, sourcePort, destination, destinationPort }: PacketFlow): string {
  const end = (address: Uint8Array, port: number) => `${formatIpAddress(address)} port ${port}`;
  return `UDP from ${end(source, sourcePort)} to ${end(destination, destinationPort)}`;
}
