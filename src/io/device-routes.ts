import { LacewingError } from "../base/errors.ts";
import { type Cidr, parseCidr } from "../wire/ip-address.ts";
import { netlinkErrno, parseNetlinkMessages } from "../wire/rtnetlink.ts";
import { getLinkRequest, parseLinkEvent } from "../wire/rtnetlink-link.ts";
import { addRouteRequest, deleteRouteRequest } from "../wire/rtnetlink-route.ts";
import type { RouteChange } from "./host-network.ts";
import { addon } from "./native.ts";
import { openUnitNamespace } from "./unit-namespace.ts";

/** What is there before it is added, or not there before it is taken away, does no harm. */
const EEXIST = 17;
const ESRCH = 3;

/**
 * Changes what is routed to a device of ours. Rejects with a LacewingError: `netns-refused`, or `route-refused`, with what was
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
    const change = (text: string, request: typeof addRouteRequest, tolerated: number): void => {
      const destination = cidrOf(text);
      const errno = netlinkErrno(ask((n) => request(n, { ifindex, destination })));
      if (errno !== 0 && errno !== tolerated)
        throw refused(`${device}: route ${text}: errno ${errno ?? "missing"}`);
    };
    for (const text of removed) change(text, deleteRouteRequest, ESRCH);
    for (const text of added) change(text, addRouteRequest, EEXIST);
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
