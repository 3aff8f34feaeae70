import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Deadlines } from "../../src/base/deadlines.ts";
import type { LogFields, Logger } from "../../src/base/logger.ts";
import type { RandomSource } from "../../src/base/random.ts";
import { Scheduler } from "../../src/base/scheduler.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Clock, Instant } from "../../src/base/time.ts";
import type { ChannelId, IcmpReport, PortId, PortSpec, Punt, UnitId } from "../../src/channel/dataplane.ts";
import { loadConfig } from "../../src/config/load.ts";
import { MemoryDataplane, type Transmission } from "../../src/dataplane/memory/engine.ts";
import { type Line, type OnlineSession, Subscriber } from "../../src/dial/subscriber.ts";
import { EventBus } from "../../src/gateway/events.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { GatewayOperations } from "../../src/gateway/gateway-operations.ts";
import { GatewayViews } from "../../src/gateway/gateway-views.ts";
import type { Surroundings } from "../../src/gateway/surroundings.ts";
import type { FramePort } from "../../src/io/frame-port.ts";
import { memoryHostNetwork } from "../../src/io/memory-host-network.ts";
import { Journal } from "../../src/journal/journal.ts";
import { PppClient } from "../../src/ppp/client.ts";
import type { LinkOutput } from "../../src/ppp/link-types.ts";
import { DEFAULT_TIMERS } from "../../src/ppp/timers.ts";
import { ETHERTYPE_PPPOE_SESSION, emitEthernet, etherTypeOffset } from "../../src/wire/ethernet.ts";
import { PPPOE_HEADER_BYTES, PPPOE_SESSION_DATA, writePppoeHeader } from "../../src/wire/pppoe.ts";
import { seededRandom } from "./seeded-random.ts";

const LINK_DEFAULTS = { flags: 0, up: true, operState: "up", mtuBytes: 1500 } as const;
const ETHERTYPE_DISCOVERY = 0x8863;
const JOURNAL_BYTES = 1024 * 1024;

/** How bad the lines are; all deliveries take `latencyMs`. */
export interface Weather {
  readonly latencyMs: number;
  /** Chances from 0 to 1, of every frame and datagram. */
  readonly loss: number;
  readonly duplication: number;
}

const FAIR: Weather = { latencyMs: 1, loss: 0, duplication: 0 };

/** One line of a gateway's log. */
export interface LogLine extends LogFields {
  readonly level: string;
  readonly message: string;
}

/**
 * Virtual time and the wires between memory data planes: whole gateways and emulated subscribers in one test,
 * without a socket or a clock.
 */
export class World {
  readonly clock: Clock = { now: () => this.#now, wallClock: () => 1_700_000_000_000 + this.#now };
  weather: Weather;
  readonly #random: RandomSource;
  #now: Instant = 0;
  #sent = 0;
  readonly #deliveries = new Deadlines<() => void>();
  readonly #schedulers: Scheduler[] = [];

  constructor(seed: number, weather: Weather = FAIR) {
    this.#random = seededRandom(seed);
    this.weather = weather;
  }

  random(): RandomSource {
    return seededRandom(this.#random.uint32());
  }

  scheduler(): Scheduler {
    const scheduler = new Scheduler({ arm() {} });
    this.#schedulers.push(scheduler);
    return scheduler;
  }

  /** Something arrives somewhere, later, perhaps twice or not at all. */
  carry(deliver: () => void): void {
    const { latencyMs, loss, duplication } = this.weather;
    if (this.#chance(loss)) return;
    const arrive = (): void => deliver();
    // a little jitter reorders neighbours when the weather is bad
    const jitter = loss > 0 ? (this.#random.uint32() % 100) / 100 : 0;
    // what is sent first arrives first: a heap alone does not keep the order of equals
    this.#sent += 1;
    this.#deliveries.set(arrive, this.#now + latencyMs * (1 + jitter) + this.#sent * 1e-6);
    if (this.#chance(duplication)) this.#deliveries.set(() => deliver(), this.#now + 3 * latencyMs);
  }

  /** Resolves after `ms` of virtual time. */
  delay(ms: number): Promise<void> {
    return new Promise((resolve) => this.#deliveries.set(resolve, this.#now + ms));
  }

  /** Lets things happen until `done`, for at most `limitMs` of virtual time; returns whether it came true. */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.#now + limitMs;
    for (;;) {
      await settle();
      if (done()) return true;
      const next = Math.min(
        this.#deliveries.next(),
        ...this.#schedulers.map((scheduler) => scheduler.next()),
      );
      if (next > end) {
        this.#now = end;
        return done();
      }
      this.#now = Math.max(this.#now, next);
      for (
        let arrive = this.#deliveries.popDue(this.#now);
        arrive;
        arrive = this.#deliveries.popDue(this.#now)
      )
        arrive();
      for (const scheduler of this.#schedulers) scheduler.run(this.#now);
    }
  }

  /** Lets `ms` of virtual time go by. */
  async pass(ms: number): Promise<void> {
    await this.until(() => false, ms);
  }

  /** A checked configuration of YAML text, with a users file beside it. */
  config(yaml: string, users = "[]\n"): ReturnType<typeof loadConfig> {
    const directory = mkdtempSync(join(tmpdir(), "lacewing-world-"));
    try {
      writeFileSync(join(directory, "users.yaml"), users, { mode: 0o600 });
      const path = join(directory, "gateway.yaml");
      writeFileSync(path, yaml, { mode: 0o600 });
      return loadConfig(path);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random.uint32() / 2 ** 32 < probability;
  }
}

/** Lets promises of the data planes resolve: they depend on nothing but each other. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/**
 * A memory data plane whose ports are known by their kind (these gateways have one of each), and whose changes
 * take a moment to complete, as those of an engine with workers do.
 */
class NodeDataplane extends MemoryDataplane {
  readonly ports = new Map<PortSpec["kind"], PortId>();
  /** By name; what is gone stays. */
  readonly units = new Map<string, UnitId>();
  #punt: (punt: Punt) => void = () => {};
  /** How long bridge, open, close and the like take; 0 is at once. */
  delayMs = 0;
  readonly #world: World;

  constructor(world: World) {
    super();
    this.#world = world;
  }

  override async bridge(...args: Parameters<MemoryDataplane["bridge"]>): Promise<void> {
    const done = super.bridge(...args);
    await this.#moment();
    return done;
  }

  override async closeChannel(channel: ChannelId): Promise<void> {
    const done = super.closeChannel(channel);
    await this.#moment();
    return done;
  }

  override async createUnit(...args: Parameters<MemoryDataplane["createUnit"]>): Promise<UnitId> {
    await this.#moment();
    const unit = await super.createUnit(...args);
    this.units.set(args[0].name, unit);
    return unit;
  }

  override async closeUnit(unit: UnitId): Promise<void> {
    await this.#moment();
    return super.closeUnit(unit);
  }

  override onPunt(handler: (punt: Punt) => void): void {
    this.#punt = handler;
    super.onPunt(handler);
  }

  /** Somebody deletes a unit's device. */
  loseUnit(unit: UnitId, reason: string): void {
    this.#punt({ kind: "unit-down", unit, reason });
  }

  /** A router says that a datagram of ours was too big for the path to a peer. */
  datagramTooBig(remoteAddress: string, mtuBytes: number): void {
    const port = this.ports.get("udp");
    if (port === undefined) return;
    this.#punt({ kind: "unreachable", port, remoteAddress, remotePort: 1701, errno: "EMSGSIZE", mtuBytes });
  }

  /** What is sent to a peer does not arrive: an ICMP error says so, or the system has not sent it. */
  notReached(remoteAddress: string, errno: string, icmp?: IcmpReport): void {
    const port = this.ports.get("udp");
    if (port === undefined) return;
    this.#punt({ kind: "unreachable", port, remoteAddress, remotePort: 1701, errno, ...(icmp && { icmp }) });
  }

  /** A forwarding thread ends. */
  fail(reason: string): void {
    this.#punt({ kind: "engine-down", reason });
  }

  async #moment(): Promise<void> {
    if (this.delayMs > 0) await this.#world.delay(this.delayMs);
  }

  override async openPort(spec: PortSpec): Promise<PortId> {
    await this.#moment();
    const port = await super.openPort(spec);
    this.ports.set(spec.kind, port);
    return port;
  }

  override async closePort(port: PortId): Promise<void> {
    for (const [kind, known] of this.ports) if (known === port) this.ports.delete(kind);
    await super.closePort(port);
  }
}

/** A gateway over a memory data plane. */
export class Node {
  readonly dataplane: NodeDataplane;
  readonly gateway: Gateway;
  readonly views: GatewayViews;
  readonly events: EventBus;
  readonly operations: GatewayOperations;
  readonly around: Surroundings;
  readonly journal: Journal;
  readonly log: LogLine[] = [];
  readonly world: World;
  readonly host = memoryHostNetwork();
  /** What the host got out of units. */
  readonly packets: { readonly unit: UnitId; readonly packet: Uint8Array }[] = [];
  readonly failures: string[] = [];
  /** PPPoE discovery sockets that it has open. */
  openFramePorts = 0;
  readonly icmp: { readonly destination: string; readonly message: Uint8Array }[] = [];
  /** Where frames and datagrams go. */
  onEthernet: (frame: Uint8Array) => void = () => {};
  onDatagram: (to: string, udpPort: number, datagram: Uint8Array) => void = () => {};
  /** Everything that its data plane sends, before it goes there. */
  onTransmission: (transmission: Transmission) => void = () => {};
  #discovery: (frame: Uint8Array) => void = () => {};
  readonly #address: string;

  /** `address`: what it speaks L2TP on. The access interface, if there is one, is acc0. */
  constructor(world: World, address: string, yaml: string, users?: string) {
    this.world = world;
    this.dataplane = new NodeDataplane(world);
    this.events = new EventBus(() => world.clock.wallClock());
    this.journal = new Journal(JOURNAL_BYTES, world.clock);
    this.#address = address;
    this.host.announce({
      kind: "link",
      link: { ...LINK_DEFAULTS, ifindex: 1, name: "acc0", mac: Uint8Array.of(2, 0, 0, 0, 0, 0xac) },
    });
    const frames: FramePort = {
      send: (frame) => this.onEthernet(frame),
      onFrame: (handler) => {
        this.#discovery = handler;
      },
      dropped: () => 0,
      close: () => {
        this.openFramePorts -= 1;
      },
    };
    const around = {
      config: world.config(yaml, users),
      clock: world.clock,
      random: world.random(),
      logger: this.#logger(),
      scheduler: world.scheduler(),
      dataplane: this.dataplane,
      host: this.host,
      events: this.events,
      journal: this.journal,
      onFailure: (reason: string) => this.failures.push(reason),
      icmp: {
        send: (destination: string, message: Uint8Array) => this.icmp.push({ destination, message }),
        close() {},
      },
      openFramePort: () => {
        this.openFramePorts += 1;
        return frames;
      },
    };
    this.dataplane.onTransmit((transmission) => this.#transmitted(transmission));
    this.gateway = new Gateway(around);
    this.around = around;
    this.views = new GatewayViews(this.gateway, around);
    this.operations = new GatewayOperations(this.gateway, around, this);
  }

  /** An Ethernet frame arrives on acc0. */
  receiveEthernet(frame: Uint8Array): void {
    if (etherType(frame) === ETHERTYPE_DISCOVERY) this.#discovery(frame);
    else {
      const port = this.dataplane.ports.get("ethernet");
      if (port !== undefined) this.dataplane.receiveFrame(port, frame);
    }
  }

  /** A datagram arrives on our L2TP port. */
  receiveDatagram(from: string, datagram: Uint8Array): void {
    const port = this.dataplane.ports.get("udp");
    if (port === undefined) return;
    this.dataplane.receiveDatagram(
      port,
      { address: from, udpPort: 1701, localAddress: this.#address },
      datagram,
    );
  }

  get address(): string {
    return this.#address;
  }

  /** The last line of each session that has ended. */
  get records(): readonly LogLine[] {
    return this.log.filter(({ message }) => message === "session ended");
  }

  #transmitted(transmission: Transmission): void {
    this.onTransmission(transmission);
    if (transmission.kind === "frame") this.onEthernet(transmission.frame);
    else if (transmission.kind === "datagram")
      this.onDatagram(transmission.address, transmission.udpPort, transmission.datagram);
    else this.packets.push(transmission);
  }

  #logger(): Logger {
    const write = (level: string) => (fields: LogFields, message: string) => {
      this.log.push({ ...fields, level, message });
    };
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  }
}

/** Emulated subscribers on a segment of their own, each with a MAC address. */
export class SubscriberSide {
  readonly dataplane = new MemoryDataplane();
  readonly world: World;
  readonly online = new Map<Subscriber, OnlineSession>();
  readonly offline = new Map<Subscriber, string>();
  readonly packets: Uint8Array[] = [];
  onEthernet: (frame: Uint8Array) => void = () => {};
  readonly #byMac = new Map<string, Subscriber>();
  readonly #byChannel = new Map<ChannelId, Subscriber>();
  readonly #scheduler: Scheduler;
  #port: PortId | undefined;
  readonly units = new Map<Subscriber, UnitId>();
  #takenOver: ((frame: Uint8Array) => void) | undefined;

  constructor(world: World) {
    this.world = world;
    this.#scheduler = world.scheduler();
    this.dataplane.onPunt((punt) => {
      if (punt.kind === "frame") this.#byChannel.get(punt.channel)?.pppFrame(punt.frame);
    });
    this.dataplane.onTransmit((transmission) => {
      if (transmission.kind === "frame") this.onEthernet(transmission.frame);
      else if (transmission.kind === "packet") this.packets.push(transmission.packet);
    });
  }

  async open(): Promise<void> {
    this.#port = await this.dataplane.openPort({
      kind: "ethernet",
      ifindex: 1,
      name: "sub0",
      mtuBytes: 1500,
    });
  }

  /** A subscriber who has not called yet. */
  subscriber(
    number: number,
    user: string,
    password: string,
    mac = macOf(number),
    serviceName = "",
  ): Subscriber {
    const subscriber = new Subscriber(number, user, mac, this.#line(password, serviceName));
    this.#byMac.set(mac.join(), subscriber);
    return subscriber;
  }

  /**
   * Another PPP client goes on in a subscriber's PPPoE session, from his MAC address. Returns what it learns, and
   * a way to send a PPP frame.
   */
  takeOver(victim: Subscriber, sessionId: number, user: string, password: string, ipv6 = false): Intruder {
    const ppp = new PppClient(
      {
        link: "pppoe",
        mruBytes: 1492,
        maxMruBytes: 1492,
        user,
        password: new Secret(password),
        accept: ["chap-md5", "pap"],
        ipv4: true,
        ipv6,
        timers: DEFAULT_TIMERS,
      },
      this.world.random(),
    );
    const outputs: LinkOutput[] = [];
    const gatewayMac = Uint8Array.of(2, 0, 0, 0, 0, 0xac);
    const send = (frame: Uint8Array): void =>
      this.onEthernet(pppoeFrame(gatewayMac, victim.mac, sessionId, frame));
    const act = (now: readonly LinkOutput[]): void => {
      outputs.push(...now);
      for (const output of now) if (output.kind === "send") send(output.frame);
    };
    this.#takenOver = (frame) => act(ppp.receive(this.world.clock.now(), pppOf(frame)));
    act(ppp.start(this.world.clock.now()));
    return { outputs, send };
  }

  receiveEthernet(frame: Uint8Array): void {
    if (this.#takenOver !== undefined && etherType(frame) !== ETHERTYPE_DISCOVERY) this.#takenOver(frame);
    else if (etherType(frame) === ETHERTYPE_DISCOVERY)
      this.#byMac.get(frame.subarray(0, 6).join())?.discoveryFrame(frame);
    else this.dataplane.receiveFrame(this.#port!, frame);
  }

  #line(password: string, serviceName: string): Line {
    return {
      port: this.#port!,
      dataplane: this.dataplane,
      random: this.world.random(),
      serviceName,
      password: new Secret(password),
      mruBytes: 1492,
      now: () => this.world.clock.now(),
      sendDiscovery: (frame) => this.onEthernet(frame),
      listen: (channel, subscriber) => this.#byChannel.set(channel, subscriber),
      unlisten: (channel) => this.#byChannel.delete(channel),
      changed: (subscriber) => this.#scheduler.update(subscriber),
      units: {
        open: async (subscriber, up) => {
          const unit = await this.dataplane.createUnit({
            name: `dial${subscriber.number}`,
            mtuBytes: up.mruBytes,
            addresses: [`${up.localAddress}/32`],
            routes: [],
            shared: false,
            end: "subscriber",
          });
          this.units.set(subscriber, unit);
          return { unit, device: `dial${subscriber.number}` };
        },
        close: (unit) => this.dataplane.closeUnit(unit),
      },
      online: (subscriber, session) => {
        this.online.set(subscriber, session);
      },
      offline: (subscriber, reason) => {
        this.online.delete(subscriber);
        this.offline.set(subscriber, reason);
      },
    };
  }
}

/** A PPP client in somebody's PPPoE session. */
interface Intruder {
  /** All that its machine has given so far. */
  readonly outputs: readonly LinkOutput[];
  send(frame: Uint8Array): void;
}

/** Joins the subscribers' segment to a gateway's access interface. */
export function wireEthernet(side: SubscriberSide, node: Node): void {
  side.onEthernet = (frame) => side.world.carry(() => node.receiveEthernet(frame));
  node.onEthernet = (frame) => side.world.carry(() => side.receiveEthernet(frame));
}

/** Joins gateways by UDP; a datagram to anyone else is lost. */
export function wireUdp(world: World, ...nodes: readonly Node[]): void {
  for (const from of nodes)
    from.onDatagram = (to, _udpPort, datagram) => {
      const target = nodes.find(({ address }) => address === to);
      if (target !== undefined) world.carry(() => target.receiveDatagram(from.address, datagram));
    };
}

export function macOf(number: number): Uint8Array {
  return Uint8Array.of(2, 0, 0, 1, number >>> 8, number);
}

/** The EtherType behind any VLAN tags. */
function etherType(frame: Uint8Array): number {
  const at = etherTypeOffset(frame, 0, frame.length);
  return (frame[at]! << 8) | frame[at + 1]!;
}

/** A LAC and an LNS that run, and the LAC's subscribers. */
export interface Pair {
  readonly lac: Node;
  readonly lns: Node;
  readonly side: SubscriberSide;
}

/** Starts two gateways of `world` with these configurations; the LNS knows `users`. */
export async function startPair(
  world: World,
  lacYaml: string,
  lnsYaml: string,
  users: string,
): Promise<Pair> {
  const lac = new Node(world, "10.0.0.2", lacYaml, users);
  const lns = new Node(world, "10.0.0.11", lnsYaml, users);
  const side = new SubscriberSide(world);
  wireUdp(world, lac, lns);
  wireEthernet(side, lac);
  await side.open();
  await lns.gateway.start();
  await lac.gateway.start();
  return { lac, lns, side };
}

/** A gateway that runs by itself, and its subscribers. */
export interface Alone {
  readonly node: Node;
  readonly side: SubscriberSide;
}

/** Starts one gateway of `world` with this configuration, which knows `users`. */
export async function startAlone(world: World, yaml: string, users: string): Promise<Alone> {
  const node = new Node(world, "10.0.0.2", yaml, users);
  const side = new SubscriberSide(world);
  wireEthernet(side, node);
  await side.open();
  await node.gateway.start();
  return { node, side };
}

/** A PPPoE session frame around a PPP frame, without tags. */
function pppoeFrame(to: Uint8Array, from: Uint8Array, sessionId: number, ppp: Uint8Array): Uint8Array {
  const payload = new Uint8Array(PPPOE_HEADER_BYTES + ppp.length);
  writePppoeHeader(payload, 0, PPPOE_SESSION_DATA, sessionId, ppp.length);
  payload.set(ppp, PPPOE_HEADER_BYTES);
  return emitEthernet({
    destination: to,
    source: from,
    tags: [],
    etherType: ETHERTYPE_PPPOE_SESSION,
    payload,
  });
}

function pppOf(frame: Uint8Array): Uint8Array {
  const pppoe = 14;
  const length = (frame[pppoe + 4]! << 8) | frame[pppoe + 5]!;
  return frame.slice(pppoe + PPPOE_HEADER_BYTES, pppoe + PPPOE_HEADER_BYTES + length);
}
