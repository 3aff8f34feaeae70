import type { UnitId } from "../channel/dataplane.ts";
import type { UnitConfig } from "../config/config.ts";
import type { PoolView } from "./operations-views.ts";
import type { Surroundings } from "./surroundings.ts";
import { UnitGroup } from "./unit-group.ts";

/** The unit groups of the configuration, by name. */
export class UnitGroups {
  readonly #around: Surroundings;
  readonly #groups = new Map<string, UnitGroup>();
  /** Those that go, or are made anew, with the next reconfigure(). */
  #withdrawn: ReadonlySet<string> = new Set();

  constructor(around: Surroundings) {
    this.#around = around;
    for (const [name, config] of around.config.units) this.#groups.set(name, this.#make(name, config));
  }

  #make(name: string, config: UnitConfig): UnitGroup {
    return new UnitGroup(name, config, this.#around, () => this.#groups.values());
  }

  /** Undefined also for one that takes nobody at the moment. */
  get(name: string): UnitGroup | undefined {
    return this.#withdrawn.has(name) ? undefined : this.#groups.get(name);
  }

  /** The address pools, by the names of their groups. */
  pools(): readonly PoolView[] {
    return [...this.#groups].flatMap(([pool, group]) => {
      const fill = group.poolFill();
      return fill === undefined ? [] : [{ pool, ...fill }];
    });
  }

  /** Makes the shared devices. */
  async start(): Promise<void> {
    for (const group of this.#groups.values()) await group.start();
  }

  /** The group whose shared device that is. */
  sharing(unit: UnitId): UnitGroup | undefined {
    return [...this.#groups.values()].find(({ sharedUnit }) => sharedUnit === unit);
  }

  unitDown(unit: UnitId, reason: string): void {
    for (const group of this.#groups.values()) void group.unitDown(unit, reason);
  }

  async close(): Promise<void> {
    for (const group of this.#groups.values()) await group.close();
  }

  /** Nobody gets an address of these any more: they go, or are made anew, with the next reconfigure(). */
  withdraw(names: ReadonlySet<string>): void {
    this.#withdrawn = names;
    for (const name of names) this.#groups.get(name)?.withdraw();
  }

  /**
   * Goes on with the configuration as it is now; the sessions of what was withdrawn have ended. What is missing of shared
   * devices is made. Returns what the system has refused.
   */
  async reconfigure(): Promise<readonly string[]> {
    const problems: string[] = [];
    const attempt = async (name: string, act: () => Promise<void>): Promise<void> => {
      await act().catch((error: Error) => problems.push(`units[${name}]: ${error.message}`));
    };
    const { units } = this.#around.config;
    // a new device may have the name of an old one
    for (const name of this.#withdrawn) {
      const group = this.#groups.get(name);
      if (group !== undefined) await attempt(name, () => group.close());
      if (!units.has(name)) this.#groups.delete(name);
    }
    for (const [name, config] of units) {
      const group = this.#groups.get(name) ?? this.#make(name, config);
      this.#groups.set(name, group);
      await attempt(name, () =>
        this.#withdrawn.has(name) ? group.remake(config) : group.reconfigure(config),
      );
    }
    // only now is nothing routed to one that is another's
    for (const [name, group] of this.#groups) await attempt(name, () => group.open());
    this.#withdrawn = new Set();
    return problems;
  }
}
