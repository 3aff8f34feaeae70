import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the kernel tells of its links, those of the network namespace that it was mounted in. */
const SYSFS_LINKS = "/sys/class/net";

/** bit/s of what the kernel counts in Mbit/s. */
const MEGABIT = 1_000_000;

/** What a link runs at, bit/s; undefined when its driver does not say, it is down, or there is no such link. */
export function linkSpeed(name: string, links = SYSFS_LINKS): number | undefined {
  let text: string;
  try {
    text = readFileSync(join(links, name, "speed"), "utf8");
  } catch {
    return undefined; // EINVAL from the driver, or ENOENT: either way nobody knows
  }
  const megabits = Number(text);
  // drivers say -1, or that as an unsigned number, for "unknown"
  return Number.isInteger(megabits) && megabits > 0 && megabits < 2 ** 31 - 1
    ? megabits * MEGABIT
    : undefined;
}
