import { LacewingError } from "../base/errors.ts";
import { type Cidr, parseCidr } from "../wire/ip-address.ts";
import { netlinkErrno, parseNetlinkMessages } from "../wire/rtnetlink.ts";
import { getLinkRequest, parseLinkEvent } from "../wire/rtnetlink-link.ts";
import { addRouteRequest, deleteRouteRequest } from "../wire/rtnetlink-route.ts";
import type { RouteChange } from "./host-network.ts";
import { addon } from "./native.ts";
import { describeRefusedRoute, EEXIST } from "./refused-route.ts";
import { openUnitNamespace } from "./unit-namespace.ts";

/** There is no such route to that device. */
const ESRCH = 3;

/**
 * Changes what is routed to a device of ours: what is there already is no fault, nor what has gone already. Rejects with a LacewingError: `netns-refused`, or `route-refused`, with what was
 * done up to then left.
 */
export async function changeDeviceRoutes({ device, netns, added, removed }: RouteChange): Promise<void> {
  const socket =
    netns === undefined
      ? addon.openNetlink({ groups: 0 })
      : (await openUnitNamespace(addon, netns, 0)).netlink;
  let seq = 0;
  const ask = (build: (seq: number) => Uint8Array): readonly Uint8Array[] => {
    seq += 1;
    return addon.netlinkTransact(socket, build(seq));
  };
  try {
    const found = parseNetlinkMessages(ask((n) => getLinkRequest(n, device))).map(parseLinkEvent);
    const link = found.find((event) => event?.kind === "link");
    if (link?.kind !== "link") throw refused(`${device} is not there`);
    const { ifindex } = link.link;
    const change = (text: string, request: typeof addRouteRequest): number | undefined => {
      const destination = cidrOf(text);
      return netlinkErrno(ask((n) => request(n, { ifindex, destination })));
    };
    for (const text of removed) {
      const errno = change(text, deleteRouteRequest);
      if (errno !== 0 && errno !== ESRCH) throw refused(`${device}: ${describeRefusedRoute(text, errno)}`);
    }
    for (const text of added) {
      let errno = change(text, addRouteRequest);
      // it may be another's: what is ours can be taken away and added again
      if (errno === EEXIST && change(text, deleteRouteRequest) === 0) errno = change(text, addRouteRequest);
      if (errno !== 0) throw refused(`${device}: ${describeRefusedRoute(text, errno)}`);
    }
  } finally {
    addon.close(socket);
  }
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw refused(`${text} is not a prefix`);
  return cidr;
}

function refused(message: string): LacewingError {
  return new LacewingError("route-refused", message);
}
