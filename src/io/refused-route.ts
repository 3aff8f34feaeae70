import { getSystemErrorName } from "node:util";

/** What rtnetlink answers when there is such a route, to whatever device. */
export const EEXIST = 17;

/** Why the host has not taken a route to a device of ours; `errno` is undefined when it said nothing. */
export function describeRefusedRoute(prefix: string, errno: number | undefined): string {
  if (errno === EEXIST)
    return `route ${prefix}: the host has it already, to something else (ip route show ${prefix})`;
  return `route ${prefix}: ${errno === undefined ? "no answer" : getSystemErrorName(-errno)}`;
}
