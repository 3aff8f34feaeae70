import { fileKey } from "../config/block.ts";
import type { Config, UnitConfig } from "../config/config.ts";
import { DEVICE_KEYS } from "../config/effects.ts";
import { ipv4ToNumber } from "../wire/ipv4-range.ts";
import type { Tunnels } from "./tunnels.ts";
import type { SessionView } from "./views.ts";

/** What is there with one configuration and not with the next, and the sessions that go through it. */
export class Leaving {
  /** Access interfaces. */
  readonly interfaces: ReadonlySet<string>;
  /** Unit groups that go, or whose shared device is made anew. */
  readonly units: ReadonlySet<string>;
  /** Our ids of the tunnels of peers, and through local addresses, that go. */
  readonly #tunnels: ReadonlySet<number>;
  readonly #next: Config;
  /** Users by the fixed addresses that they will have. */
  readonly #fixed: ReadonlyMap<string, Config["users"][number]>;

  constructor(running: Config, next: Config, tunnels: Pick<Tunnels, "leaving"> | undefined) {
    const interfaces = new Set(next.access.map((access) => access.interface));
    this.interfaces = new Set(
      running.access.map((access) => access.interface).filter((name) => !interfaces.has(name)),
    );
    this.units = new Set(
      [...running.units]
        .filter(([name, unit]) => !survives(unit, next.units.get(name)))
        .map(([name]) => name),
    );
    this.#tunnels = tunnels?.leaving(next) ?? new Set();
    this.#next = next;
    this.#fixed = new Map(
      next.users.flatMap((user) => (user.address === undefined ? [] : [[user.address, user]])),
    );
  }

  /** Whether a session has to end. One whose call to an LNS is still on its way goes to another LNS instead. */
  takes(session: SessionView): boolean {
    const { origin, onward, unit, address, user } = session;
    const isFrom =
      origin.kind === "pppoe"
        ? this.interfaces.has(origin.interface)
        : this.#tunnels.has(origin.localTunnelId);
    const isTo = session.state === "open" && onward !== null && this.#tunnels.has(onward.localTunnelId);
    if (isFrom || isTo) return true;
    if (unit === null) return false;
    return this.units.has(unit) || (address !== null && this.#isGivenAway(unit, address, user));
  }

  /** Whether somebody else may get the address, of another group whose devices are in the same network namespace. */
  #isGivenAway(unit: string, address: string, user: string | null): boolean {
    const { units } = this.#next;
    const own = units.get(unit);
    const number = ipv4ToNumber(address);
    if (own === undefined || number === undefined) return true;
    const fixed = this.#fixed.get(address);
    if (fixed !== undefined) return fixed.name !== user && fixed.unit !== undefined && fixed.unit !== unit;
    const hasIt = ({ pool = [] }: UnitConfig) =>
      pool.some(({ first, last }) => number >= first && number <= last);
    if (hasIt(own)) return false;
    return [...units].some(
      ([name, other]) =>
        name !== unit && other.netns === own.netns && (hasIt(other) || other.address === address),
    );
  }
}

/** Whether its sessions can stay: a shared device cannot be changed under them. */
function survives(before: UnitConfig, after: UnitConfig | undefined): boolean {
  if (after === undefined) return false;
  if (before.mode === "device" && after.mode === "device") return true;
  const keys = Object.keys({ ...before, ...after }) as (keyof UnitConfig)[];
  return keys.every((key) => before[key] === after[key] || !DEVICE_KEYS.includes(fileKey(key)));
}
