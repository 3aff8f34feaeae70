import { equalBytes } from "../base/bytes.ts";
import { cidrContains } from "../wire/ip-address.ts";
import type { NetworkEvent } from "../wire/rtnetlink-event.ts";
import type { RouteFact } from "./next-hop-facts.ts";

/**
 * Whether a route that was found may be another one after `event`. What this misses is found when routes are asked
 * again after a while; what it does not rule out is asked at once. On a gateway with a device for every subscriber
 * and a full routing table nearly everything that happens must be ruled out.
 */
export function concerns(event: NetworkEvent, { subject, value }: RouteFact): boolean {
  const route = value === undefined || "refused" in value ? undefined : value;
  switch (event.kind) {
    case "rules":
      return true;
    case "route":
      return cidrContains(event.destination, subject.remote);
    case "link":
      // the kernel takes routes away with their device, and prefers those whose device is up, without a word
      return event.ordinary || event.ifindex === (route?.ifindex ?? subject.ifindex);
    case "address":
      return (
        route === undefined ||
        event.ifindex === route.ifindex ||
        [subject.local, subject.remote, route.source].some(
          (address) => address !== undefined && equalBytes(address, event.address),
        )
      );
    case "neighbour":
      return false;
  }
}
