import { AddressPool, type AddressPoolConfig, type Lease, type PoolFill } from "../aaa/address-pool.ts";
import type { LocalUser } from "../aaa/local-users.ts";
import { IdPool } from "../base/ids.ts";
import type { UnitId, UnitSpec } from "../channel/dataplane.ts";
import { DataplaneError } from "../channel/errors.ts";
import type { UnitConfig } from "../config/config.ts";
import { parseIpAddress } from "../wire/ip-address.ts";
import { ipv4ToNumber, parseIpv4Range } from "../wire/ipv4-range.ts";
import { IPV6_MIN_MTU } from "../wire/ipv6.ts";
import { INTERFACE_IDENTIFIER_BYTES } from "../wire/ipv6cp.ts";
import { endCause } from "./cause.ts";
import { linkLocalAddress } from "./link-local.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";

/** The device that a session's packets go through, its own or shared. */
export interface SessionUnit {
  readonly unit: UnitId;
  readonly device: string;
  readonly mtuBytes: number;
  /** The number in the name of a device of its own; undefined on a shared one. */
  readonly number: number | undefined;
  /** Ours: the device has fe80::/64 and this. Undefined when it has no IPv6. */
  readonly interfaceIdentifier: Uint8Array | undefined;
}

/** Device numbers have up to six digits: a name has at most 15 octets. */
const MAX_DEVICE_NUMBER = 999_999;

/** One group of terminated subscribers: their addresses, and the devices that their packets go through. */
export class UnitGroup {
  readonly name: string;
  #config: UnitConfig;
  readonly #around: Surroundings;
  /** All groups: an address is one subscriber's in all that are in the same network namespace. */
  readonly #groups: () => Iterable<UnitGroup>;
  readonly #pool: AddressPool<Session>;
  readonly #numbers: IdPool;
  /** Whose packets go through a unit. */
  readonly #users = new Map<UnitId, Set<Session>>();
  /** It makes no device and gives no address: it goes, or is made anew. */
  #withdrawn = false;
  /** What is routed to the shared device as long as the configuration says so. */
  readonly #routed = new Set<string>();
  /** And what as long as somebody has the address. */
  readonly #lent = new Set<string>();
  /** When the last change of what is routed is done: each looks at what the ones before it have left. */
  #routing: Promise<void> = Promise.resolve();
  /** Not configured, or the host has none. */
  #withoutIpv6: boolean;
  #shared: SessionUnit | undefined;

  constructor(
    name: string,
    config: UnitConfig,
    around: Surroundings,
    groups: () => Iterable<UnitGroup> = () => [],
  ) {
    this.name = name;
    this.#config = config;
    this.#around = around;
    this.#groups = groups;
    this.#withoutIpv6 = !config.ipv6;
    this.#pool = new AddressPool(this.#poolConfig());
    this.#numbers = IdPool.create({ uint32: () => 0, bytes: (n) => new Uint8Array(n) }, 0, MAX_DEVICE_NUMBER);
  }

  get config(): UnitConfig {
    return this.#config;
  }

  /** Its addresses for whoever comes; undefined when it has fixed ones only. */
  poolFill(): PoolFill | undefined {
    return this.#config.pool === undefined ? undefined : this.#pool.fill();
  }

  /** Nobody gets an address any more until remake(); the sessions that are there have to be ended. */
  withdraw(): void {
    this.#withdrawn = true;
  }

  /** Begins anew as `config` says, with another device if it is to have a shared one, which open() makes; it was closed. */
  async remake(config: UnitConfig): Promise<void> {
    this.#withoutIpv6 = !config.ipv6;
    this.#withdrawn = false;
    await this.reconfigure(config);
  }

  /**
   * Goes on as `config` and the users of now say; sessions that are there keep what they have. With a shared device, only
   * what the device does not depend on may be different (DEVICE_KEYS). What is new is routed to it by open(): another group
   * may have it until that one goes on, too.
   */
  async reconfigure(config: UnitConfig): Promise<void> {
    if (config.ipv6 !== this.#config.ipv6) this.#withoutIpv6 = !config.ipv6;
    this.#config = config;
    this.#pool.reconfigure(this.#poolConfig());
    await this.#inTurn(async () => {
      if (this.#shared !== undefined) await this.#unroute(new Set(this.#routes()));
    });
  }

  /**
   * Where somebody still has an address of before, the route to it stays: of a prefix that becomes another group's, to that
   * address alone.
   */
  async #unroute(wanted: ReadonlySet<string>): Promise<void> {
    const unwanted = [...this.#routed].filter((route) => !wanted.has(route));
    const given = unwanted.filter((route) => this.#isGivenAway(route));
    const kept = given
      .flatMap((route) => this.#pool.usedOf(route).map((address) => `${address}/32`))
      .filter((route) => !this.#routed.has(route) && !this.#lent.has(route));
    await this.#changeRoutes(kept, []);
    for (const route of kept) this.#lent.add(route);
    const removed = unwanted.filter(
      (route) => given.includes(route) || this.#pool.usedOf(route).length === 0,
    );
    await this.#changeRoutes([], removed);
    for (const route of removed) this.#routed.delete(route);
    // one address goes with who has it
    for (const route of unwanted)
      if (route.endsWith("/32") && this.#routed.delete(route)) this.#lent.add(route);
  }

  /** Whether a prefix is, or has in it, addresses for whoever comes to another group of the network namespace. */
  #isGivenAway(route: string): boolean {
    const range = parseIpv4Range(route);
    if (range === undefined || range.first === range.last) return false;
    return [...this.#around.config.units].some(
      ([name, { netns, pool = [] }]) =>
        name !== this.name &&
        netns === this.#config.netns &&
        pool.some(({ first, last }) => first <= range.last && range.first <= last),
    );
  }

  /** Makes a shared device that is missing, or routes to it what is new. */
  async open(): Promise<void> {
    if (this.#shared === undefined) return this.start();
    await this.#inTurn(async () => {
      const wanted = this.#routes();
      await this.#changeRoutes(
        wanted.filter((route) => !this.#routed.has(route) && !this.#lent.has(route)),
        [],
      );
      for (const route of wanted) {
        this.#lent.delete(route);
        this.#routed.add(route);
      }
    });
  }

  /** Routes a fixed address to the shared device that is not routed there for good. */
  async #lend(address: string): Promise<void> {
    const [number, route] = [ipv4ToNumber(address) ?? -1, `${address}/32`];
    const isInPool = this.#config.pool?.some(({ first, last }) => first <= number && number <= last) ?? false;
    await this.#inTurn(async () => {
      if (isInPool || this.#lent.has(route) || this.#routed.has(route)) return;
      await this.#changeRoutes([route], []);
      this.#lent.add(route);
    });
  }

  /**
   * One change of what is routed after the other: in another network namespace they take their time, and two that are under
   * way at once may be carried out in either order.
   */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#routing.then(change);
    // who asked for it is told
    this.#routing = done.catch(() => {});
    return done;
  }

  async #changeRoutes(added: readonly string[], removed: readonly string[]): Promise<void> {
    const { name: device, netns } = this.#config;
    if (added.length + removed.length > 0)
      await this.#around.host.changeRoutes({ device, ...(netns !== undefined && { netns }), added, removed });
  }

  #poolConfig(): AddressPoolConfig {
    const { pool = [], address } = this.#config;
    const fixed = this.#around.config.users.flatMap((user) => user.address ?? []);
    return { ranges: pool, reserved: [address, ...fixed] };
  }

  /** What is to be routed to a shared device. */
  #routes(): readonly string[] {
    return [...(this.#config.pool ?? []).flatMap(({ prefixes }) => prefixes), ...this.#fixedRoutes()];
  }

  /** Makes the shared device, if there is one: it is there as long as the gateway. Says when none could be made later. */
  async start(): Promise<void> {
    const { config } = this;
    if (config.mode !== "shared") return this.#checkNamespace(config.netns);
    const routes = this.#routes();
    this.#routed.clear();
    for (const route of routes) this.#routed.add(route);
    this.#lent.clear();
    this.#shared = await this.#create(undefined, {
      name: config.name,
      ...(config.netns !== undefined && { netns: config.netns }),
      mtuBytes: config.mtuBytes,
      addresses: [`${config.address}/32`],
      routes,
      shared: true,
    });
    const { dataplane, logger } = this.#around;
    const queues = dataplane.unitQueues?.(this.#shared.unit);
    const told = { unit: this.name, device: config.name };
    logger.info({ ...told, ...(queues !== undefined && { queues: queues.count }) }, "shared unit up");
    if (queues?.refusal !== undefined)
      logger.warn(
        { ...told, reason: queues.refusal },
        "the kernel does not let us spread the shared unit's packets by subscriber: one worker serves all of them",
      );
  }

  /** What sessions would run into one by one. It may be put right meanwhile, so that this is no reason not to start. */
  async #checkNamespace(netns: string | undefined): Promise<void> {
    if (netns === undefined) return;
    const { host, logger } = this.#around;
    await host.checkNamespace(netns).catch((error: Error) => {
      const told = { unit: this.name, netns, error: error.message };
      logger.error(
        told,
        "no device can be made in the network namespace: subscribers of the unit group are refused",
      );
    });
  }

  /** The device of a unit that `too-big` and the like speak of. */
  get sharedUnit(): UnitId | undefined {
    return this.#shared?.unit;
  }

  /**
   * The user's fixed address, taken over from his stale session if there is one in this group or in another of the same network
   * namespace, or one of the pool.
   */
  async lease(user: LocalUser, session: Session): Promise<Lease> {
    if (this.#withdrawn) return { ok: false, reason: "the unit group is being changed" };
    if (user.address === undefined) return this.#pool.lease(session);
    // another login may take it while we wait for the stale one's end: the last to come has it
    for (;;) {
      const stale = this.#holderOf(user.address);
      if (stale === undefined || stale.session === session) break;
      stale.session.end(
        endCause("replaced", `${user.name} has logged in again and takes ${user.address} over`),
      );
      await stale.session.ended;
      // one whose end has failed half-way may hold it still, and waiting for him again would never end
      if (stale.group === this) this.#pool.release(user.address, stale.session);
      else await stale.group.release(user.address, stale.session);
    }
    if (session.isOver) return { ok: false, reason: "the session is over" };
    this.#pool.leaseFixed(user.address, session);
    return { ok: true, address: user.address };
  }

  /** Who has an address, here or in another group of the same network namespace. */
  #holderOf(address: string): { readonly group: UnitGroup; readonly session: Session } | undefined {
    const { netns } = this.#config;
    for (const group of new Set<UnitGroup>([this, ...this.#groups()])) {
      const session = group.#config.netns === netns ? group.#pool.holderOf(address) : undefined;
      if (session !== undefined) return { group, session };
    }
    return undefined;
  }

  async release(address: string, session: Session): Promise<void> {
    this.#pool.release(address, session);
    const route = `${address}/32`;
    await this.#inTurn(async () => {
      const isTaken = this.#shared === undefined || this.#pool.holderOf(address) !== undefined;
      if (!isTaken && this.#lent.delete(route)) await this.#changeRoutes([], [route]);
    });
  }

  /** The unit for a session whose subscriber has that address. */
  async openUnit(address: string, session: Session): Promise<SessionUnit> {
    const sessionUnit = await this.#unitFor(address, session.mruBytes);
    if (sessionUnit.number === undefined) await this.#lend(address);
    const users = this.#users.get(sessionUnit.unit) ?? new Set();
    this.#users.set(sessionUnit.unit, users.add(session));
    return sessionUnit;
  }

  async closeUnit({ unit, number }: SessionUnit, session: Session): Promise<void> {
    this.#users.get(unit)?.delete(session);
    if (number === undefined) return;
    this.#users.delete(unit);
    await this.#around.dataplane.closeUnit(unit);
    this.#numbers.release(number);
  }

  /** Somebody has removed a device of ours: who went through it goes, and a shared one is made again. */
  async unitDown(unit: UnitId, reason: string): Promise<void> {
    const users = [...(this.#users.get(unit) ?? [])];
    for (const session of users) session.leave(endCause("failed", `its device is gone: ${reason}`));
    const shared = this.#shared;
    if (shared?.unit !== unit) return;
    this.#shared = undefined;
    this.#around.logger.error(
      { unit: this.name, device: shared.device, sessions: users.length, reason },
      "the shared device is gone; it is made again, and its subscribers have to call again",
    );
    await Promise.all(users.map(({ ended }) => ended));
    this.#users.delete(unit);
    try {
      await this.#around.dataplane.closeUnit(unit);
      await this.start();
    } catch (error) {
      this.#around.logger.error(
        { unit: this.name, device: shared.device, error: (error as Error).message },
        "the shared device could not be made again; its subscribers are refused until a restart",
      );
    }
  }

  async close(): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared !== undefined) await this.#around.dataplane.closeUnit(shared.unit);
  }

  async #unitFor(address: string, mruBytes: number): Promise<SessionUnit> {
    if (this.#shared !== undefined) return this.#shared;
    const { config } = this;
    if (config.mode === "shared") throw new Error(`the shared device ${config.name} is not there`);
    const number = this.#numbers.take();
    if (number === undefined) throw new Error(`unit group ${this.name} has no device number left`);
    const device = config.name.replace("%d", String(number));
    const mtuBytes = Math.min(config.mtuBytes, mruBytes);
    try {
      return await this.#create(number, {
        name: device,
        ...(config.netns !== undefined && { netns: config.netns }),
        mtuBytes,
        addresses: [`${config.address}/32`],
        peerAddress: address,
        routes: [],
        shared: false,
      });
    } catch (error) {
      this.#numbers.release(number);
      throw error;
    }
  }

  /** Makes the device with our link-local address if it is to have IPv6; without when the host does not let it. */
  async #create(number: number | undefined, spec: UnitSpec): Promise<SessionUnit> {
    const { dataplane, logger } = this.#around;
    const made = { device: spec.name, mtuBytes: spec.mtuBytes, number };
    if (!this.#withoutIpv6 && spec.mtuBytes >= IPV6_MIN_MTU) {
      const interfaceIdentifier = identifierFrom(this.config.address);
      const addresses = [...spec.addresses, `${linkLocalAddress(interfaceIdentifier)}/64`];
      try {
        return { unit: await dataplane.createUnit({ ...spec, addresses }), ...made, interfaceIdentifier };
      } catch (error) {
        if (!(error instanceof DataplaneError && error.code === "no-ipv6")) throw error;
        if (!this.#withoutIpv6)
          logger.warn(
            { unit: this.name, device: spec.name, error: error.message },
            "the host has IPv6 disabled: subscribers of the unit group get IPv4 only until a restart",
          );
        this.#withoutIpv6 = true;
      }
    }
    return { unit: await dataplane.createUnit(spec), ...made, interfaceIdentifier: undefined };
  }

  /** Who may come to other groups of the network namespace, too, is routed where he is when he is there. */
  #fixedRoutes(): readonly string[] {
    const { users, units } = this.#around.config;
    const isOther = (name: string, { netns }: UnitConfig) =>
      name !== this.name && netns === this.#config.netns;
    const anybodys = [...units].some(([name, config]) => isOther(name, config)) ? undefined : this.name;
    return users.flatMap(({ address, unit = anybodys }) =>
      address !== undefined && unit === this.name ? [`${address}/32`] : [],
    );
  }
}

/**
 * Our end's IPv4 address in its last four octets: the same after a restart, different in every group, and with the "u"
 * bit clear because it is not universally unique (RFC 5072 §4.1).
 */
function identifierFrom(ipv4Address: string): Uint8Array {
  const identifier = new Uint8Array(INTERFACE_IDENTIFIER_BYTES);
  const octets = parseIpAddress(ipv4Address)!;
  identifier.set(octets, INTERFACE_IDENTIFIER_BYTES - octets.length);
  return identifier;
}
