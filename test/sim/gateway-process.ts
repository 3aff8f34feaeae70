import type { LogFields, Logger } from "../../src/base/logger.ts";
import type { Scheduler } from "../../src/base/scheduler.ts";
import { type Instant, NEVER } from "../../src/base/time.ts";
import { DEFAULT_REORDER } from "../../src/channel/dataplane.ts";
import type { Transmission } from "../../src/dataplane/memory/engine.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { memoryHostNetwork } from "../../src/io/memory-host-network.ts";
import { Journal } from "../../src/journal/journal.ts";
import { parseL2tp } from "../../src/wire/l2tp.ts";
import { ActedOnce } from "./acted-once.ts";
import { etherTypeOf } from "./ethernet.ts";
import { ToldOnce } from "./invariants.ts";
import { forgetLeasesOf } from "./lease-book.ts";
import { Machines } from "./machines.ts";
import { parseProbe } from "./payload.ts";
import { SimDataplane } from "./sim-dataplane.ts";
import { SimScheduler } from "./sim-scheduler.ts";
import type { SimConfig, World } from "./world.ts";

/** Bits of the first octet (RFC 2661 §3.1). */
const L2TP_CONTROL_AND_SEQUENCE = 0x88;
const L2TP_SEQUENCE = 0x08;

/** Overwritten many times in a run. */
const JOURNAL_BYTES = 256 * 1024;

const GATEWAY_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0xac);

/** One life of a gateway: what a restart takes away. */
interface Life {
  readonly gateway: Gateway;
  readonly dataplane: SimDataplane;
  readonly scheduler: Scheduler;
  readonly machines: Machines;
  discovery: (frame: Uint8Array) => void;
  /** By session: the call of the CPE whose packets come out of it. */
  readonly calls: Map<string, number>;
  readonly ended: Set<string>;
  /** When something came in last, by our tunnel. */
  readonly heard: Map<number, Instant>;
  alive: boolean;
}

/**
 * A gateway that can be killed and started again, over a memory data plane in virtual time, with a clock of its
 * own. The host behind its units sends every packet back to where it came from.
 */
export class GatewayProcess {
  readonly name: string;
  readonly address: string;
  /** The user name that each CPE may have, by his number. */
  readonly #users: ReadonlyMap<number, string>;
  readonly #world: World;
  readonly #config: SimConfig;
  /** How long a change of the data plane takes. */
  readonly #changeMs: number;
  #life: Life | undefined;
  /** How far its monotonic clock is ahead of the world's. */
  #ahead = 0;
  #wallAhead = 0;
  #stopping = false;
  onEthernet: (frame: Uint8Array) => void = () => {};
  onDatagram: (to: string, datagram: Uint8Array) => void = () => {};

  constructor(
    name: string,
    address: string,
    config: SimConfig,
    changeMs: number,
    users: ReadonlyMap<number, string>,
    world: World,
  ) {
    this.name = name;
    this.address = address;
    this.#config = config;
    this.#changeMs = changeMs;
    this.#users = users;
    this.#world = world;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  /** Units that are there as long as it is. */
  get sharedUnits(): number {
    return [...this.#config.units.values()].filter(({ mode }) => mode === "shared").length;
  }

  /** L2TP peers of the data plane that are there without a tunnel, as long as it is. */
  get knownPeers(): number {
    return this.#config.l2tp.peers.filter(({ address }) => address !== undefined).length;
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  now(): Instant {
    return this.#world.timeline.now + this.#ahead;
  }

  /** When the world must call run(), in its own time. */
  wakeAt(): Instant {
    const next = this.#life?.scheduler.next() ?? NEVER;
    return next - this.#ahead;
  }

  run(): void {
    const life = this.#life;
    if (life === undefined) return;
    life.scheduler.run(this.now());
    if (life.scheduler.next() <= this.now())
      this.#world.referee.report(
        "no deadline lies in the past",
        `${this.name} waits for ${life.scheduler.next()}`,
      );
  }

  /** The monotonic clock jumps, as that of a machine that was suspended. */
  jump(ms: number): void {
    this.#ahead += ms;
  }

  /** The wall clock is set: nobody may care. */
  setWallClock(aheadMs: number): void {
    this.#wallAhead = aheadMs;
  }

  /** A new process: nothing is known of the one before. */
  start(): void {
    const random = this.#world.chance.source();
    const life: { -readonly [K in keyof Life]?: Life[K] } = {
      discovery: () => {},
      calls: new Map(),
      ended: new Set(),
      heard: new Map(),
      alive: true,
    };
    const moment = async (): Promise<void> => {
      if (this.#changeMs === 0) return;
      await this.#world.timeline.delay(this.#changeMs);
      // a process that was killed gets no answer any more
      if (!life.alive) await new Promise<never>(() => {});
    };
    const dataplane = new SimDataplane(this.name, this.#world, moment);
    const scheduler = new SimScheduler(() => this.now());
    const toldOnce = new ToldOnce(this.name, this.#world.referee);
    const actedOnce = new ActedOnce(this.name, this.#world.referee);
    const machines = new Machines(this.#world, (call) => {
      toldOnce.called(call);
      actedOnce.called(call);
    });
    machines.watch(random);
    const host = memoryHostNetwork();
    host.announce({
      kind: "link",
      link: {
        flags: 0,
        up: true,
        operState: "up",
        mtuBytes: 1500,
        ifindex: 1,
        name: "acc0",
        mac: GATEWAY_MAC,
      },
    });
    const clock = {
      now: () => this.now(),
      wallClock: () => 1_700_000_000_000 + this.#world.timeline.now + this.#wallAhead,
    };
    const gateway = new Gateway({
      config: this.#config,
      clock,
      random,
      logger: this.#logger(life as Life),
      scheduler,
      dataplane,
      host,
      events: { publish() {} },
      journal: new Journal(JOURNAL_BYTES, clock),
      onFailure: (reason) => this.#world.referee.report("no gateway errs", `${this.name}: ${reason}`),
      icmp: { send() {}, close() {} },
      openFramePort: () => ({
        send: (frame) => {
          if (life.alive) this.onEthernet(frame);
        },
        onFrame: (handler) => {
          life.discovery = handler;
        },
        dropped: () => 0,
        close() {},
      }),
    });
    dataplane.onTransmit((transmission) => {
      if (life.alive) this.#transmitted(life as Life, transmission);
    });
    Object.assign(life, { gateway, dataplane, scheduler, machines });
    this.#life = life as Life;
    this.#world.trace.add(`${this.name} starts`);
    this.#world.expect(gateway.start());
  }

  /** The process is gone, without a word. */
  kill(): void {
    if (this.#life === undefined) return;
    this.#world.trace.add(`${this.name} is killed`);
    this.#life.alive = false;
    forgetLeasesOf(this.#life.gateway.sessions);
    this.#life = undefined;
    this.#stopping = false;
  }

  /** Ends politely; the process is gone when that is done. */
  stop(): void {
    const life = this.#life;
    if (life === undefined || this.#stopping) return;
    this.#world.trace.add(`${this.name} stops`);
    this.#stopping = true;
    const stopped = life.gateway.stop("test").then((isDone) => {
      if (this.#life !== life) return;
      // what could not be ended in time goes with the data plane
      if (!isDone) this.#world.trace.add(`${this.name} has not ended everything`);
      for (const [what, count] of Object.entries(life.dataplane.holdings()))
        if (isDone && count > 0)
          this.#world.referee.report(
            "a gateway that has stopped holds nothing",
            `${this.name}: ${count} ${what}`,
          );
      this.kill();
    });
    this.#world.expect(stopped);
  }

  receiveEthernet(frame: Uint8Array): void {
    const life = this.#life;
    if (life === undefined) return;
    if (etherTypeOf(frame) === "discovery") {
      life.discovery(frame);
      return;
    }
    const port = life.dataplane.ports.get("ethernet");
    if (port !== undefined) life.dataplane.receiveFrame(port, frame);
  }

  receiveDatagram(from: string, datagram: Uint8Array): void {
    const life = this.#life;
    const port = life?.dataplane.ports.get("udp");
    if (life === undefined || port === undefined) return;
    // with a number in it: what comes early waits for what is missing
    if ((datagram[0]! & L2TP_CONTROL_AND_SEQUENCE) === L2TP_SEQUENCE)
      this.#world.timeline.after(DEFAULT_REORDER.timeMs + 1, () => life.dataplane.timeIs(this.now()));
    const packet = parseL2tp(datagram);
    if (typeof packet !== "string") life.heard.set(packet.header.tunnelId, this.#world.timeline.now);
    life.dataplane.timeIs(this.now());
    life.dataplane.receiveDatagram(
      port,
      { address: from, udpPort: 1701, localAddress: this.address },
      datagram,
    );
  }

  #transmitted(life: Life, transmission: Transmission): void {
    if (transmission.kind === "frame") this.onEthernet(transmission.frame);
    else if (transmission.kind === "datagram") this.onDatagram(transmission.address, transmission.datagram);
    else this.#host(life, transmission.unit, transmission.packet);
  }

  /** A subscriber's packet has reached the host behind a unit: it must be of the session that has its address. */
  #host(life: Life, unit: number, packet: Uint8Array): void {
    const probe = parseProbe(packet);
    if (probe === undefined) return;
    const address = probe.source.join(".");
    // the newest: one that is being taken apart may have given its address back already
    const session = [...life.gateway.sessions].findLast((each) => each.view().address === address);
    const invariant = "nothing is delivered on a closed session";
    if (session === undefined || life.ended.has(session.id)) {
      this.#world.referee.report(invariant, `${this.name}: nobody has ${address}`);
      return;
    }
    if (session.user !== this.#users.get(probe.cpe))
      this.#world.referee.report(
        invariant,
        `${this.name}: CPE ${probe.cpe} speaks in the session of ${session.user}`,
      );
    const call = life.calls.get(session.id);
    if (call !== undefined && call !== probe.call)
      this.#world.referee.report(invariant, `${this.name}: calls ${call} and ${probe.call} in one session`);
    life.calls.set(session.id, probe.call);
    const reply = packet.slice();
    reply.set(probe.destination, 12);
    reply.set(probe.source, 16);
    // behind us in time, not inside the data plane's call
    this.#world.timeline.after(0, () => {
      if (life.alive && [...life.gateway.sessions].includes(session) && session.channels().length > 0)
        life.dataplane.receivePacket(unit, reply);
    });
  }

  #logger(life: Life): Logger {
    const write = (level: string) => (fields: LogFields, message: string) => {
      if (!life.alive) return;
      this.#world.trace.add(`${this.name}: ${message}${explanation(fields)}`);
      if (message === "session ended") this.#sessionEnded(life, String(fields.session));
      if (level === "error")
        this.#world.referee.report("no gateway errs", `${this.name}: ${message} ${JSON.stringify(fields)}`);
    };
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  }

  #sessionEnded(life: Life, session: string): void {
    if (life.ended.has(session))
      this.#world.referee.report("a message is acted on once", `${this.name}: ${session} ends again`);
    life.ended.add(session);
    life.calls.delete(session);
  }
}

/** Nothing that depends on the wall clock: two runs are compared by what they trace. */
function explanation({ session, user, reason, tunnel }: LogFields): string {
  const parts = { session, user, tunnel, reason };
  const known = Object.entries(parts).filter(([, value]) => value !== undefined);
  return known.map(([name, value]) => ` ${name}=${String(value)}`).join("");
}
