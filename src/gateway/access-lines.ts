import type { PortId } from "../channel/dataplane.ts";
import { AccessLine, type SessionMaker } from "./access-line.ts";
import type { Surroundings } from "./surroundings.ts";

/** The access interfaces of the configuration. */
export class AccessLines {
  readonly #around: Surroundings;
  readonly #maker: SessionMaker;
  #lines: readonly AccessLine[];
  /** An operator drains all of them: one that a reload brings, too. */
  #drains = false;

  constructor(around: Surroundings, maker: SessionMaker) {
    this.#around = around;
    this.#maker = maker;
    this.#lines = around.config.access.map((access) => new AccessLine(access, around, maker));
  }

  get all(): readonly AccessLine[] {
    return this.#lines;
  }

  withPort(port: PortId): AccessLine | undefined {
    return this.#lines.find((line) => line.port === port);
  }

  /** Opens those whose interfaces are there; the others open when they come. */
  async start(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.openIfThere()));
    for (const line of this.#lines) this.#warnIfAway(line);
  }

  linksChanged(): void {
    for (const line of this.#lines) void line.openIfThere();
  }

  interfaceGone(ifindex: number): void {
    for (const line of this.#lines) if (line.isBoundTo(ifindex)) void line.lost("the interface was removed");
  }

  /** The one of this name, or all of them. False when no such interface is configured. */
  drain(draining: boolean, accessInterface?: string): boolean {
    if (accessInterface === undefined) this.#drains = draining;
    const lines = this.#lines.filter(
      ({ config }) => accessInterface === undefined || config.interface === accessInterface,
    );
    for (const line of lines) line.drain(draining);
    return lines.length > 0;
  }

  stopAnswering(): void {
    for (const line of this.#lines) line.stopAnswering();
  }

  /** Their sessions have been ended before. */
  async close(): Promise<void> {
    for (const line of this.#lines) await line.close();
  }

  abandon(): void {
    for (const line of this.#lines) line.abandon();
  }

  /** Nobody new calls on these any more: they go with the next reconfigure(). */
  withdraw(interfaces: ReadonlySet<string>): void {
    for (const line of this.#lines) if (interfaces.has(line.config.interface)) line.stopAnswering();
  }

  /** Goes on with the configuration as it is now; the sessions of interfaces that are not in it any more have ended. */
  async reconfigure(): Promise<void> {
    const known = new Map(this.#lines.map((line) => [line.config.interface, line]));
    const made: AccessLine[] = [];
    this.#lines = this.#around.config.access.map((config) => {
      const line = known.get(config.interface);
      known.delete(config.interface);
      if (line !== undefined) {
        line.reconfigure(config);
        return line;
      }
      const added = new AccessLine(config, this.#around, this.#maker);
      if (this.#drains) added.drain(true);
      made.push(added);
      return added;
    });
    for (const line of known.values()) await line.close();
    for (const line of made) {
      await line.openIfThere();
      this.#warnIfAway(line);
    }
  }

  #warnIfAway({ port, config }: AccessLine): void {
    if (port === undefined)
      this.#around.logger.warn(
        { interface: config.interface },
        "access interface is not there, or not up; waiting for it",
      );
  }
}
