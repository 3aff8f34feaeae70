import type { RandomSource } from "../../src/base/random.ts";
import { Secret } from "../../src/base/secret.ts";
import { type Instant, NEVER } from "../../src/base/time.ts";
import { PppClient } from "../../src/ppp/client.ts";
import type { LinkOutput } from "../../src/ppp/link-types.ts";
import { DEFAULT_TIMERS } from "../../src/ppp/timers.ts";
import { PppoeClient } from "../../src/pppoe/client.ts";
import { DEFAULT_PPPOE_CLIENT_RETRY, type PppoeClientOutput } from "../../src/pppoe/client-types.ts";
import { BROADCAST_MAC, type VlanTag } from "../../src/wire/ethernet.ts";
import { parseIpv4Address } from "../../src/wire/ip-address.ts";
import { emitPpp, PPP_IPV4, parsePpp } from "../../src/wire/ppp.ts";
import type { Chance } from "./chance.ts";
import { emitSessionFrame, etherTypeOf, readSessionFrame } from "./ethernet.ts";
import { ToldOnce } from "./invariants.ts";
import { Machines } from "./machines.ts";
import { emitProbe, parseProbe } from "./payload.ts";
import { replaceable } from "./replaceable.ts";
import type { World } from "./world.ts";

/** How somebody uses his line. */
export interface Temperament {
  /** From an end to the next call. */
  readonly redialMs: readonly [number, number];
  /** Hangs up a call that has not come up by then, and calls again. */
  readonly patienceMs: number;
  /** Goes without a word: no Terminate-Request, no PADT. */
  readonly vanishes: boolean;
  /** Begins LCP anew in a session that is up, from time to time; NEVER: he does not. */
  readonly renegotiateEveryMs: number;
  /** Between his packets; NEVER: only when asked to prove that his session works. */
  readonly probeEveryMs: number;
}

export interface CpeConfig {
  readonly number: number;
  readonly user: string;
  readonly password: string;
  /** That he calls under, outermost first. */
  readonly tags: readonly VlanTag[];
  /** What must come of his calls: a working session, or a definite no. */
  readonly expects: "service" | "no";
  readonly temperament: Temperament;
}

const PROBED = Uint8Array.of(192, 0, 2, 1);
/** Between probes of one who has to prove that his session works. */
const PROOF_MS = 500;

const Pppoe = replaceable(PppoeClient);
const Ppp = replaceable(PppClient);

/** One call, from PADI to its end. */
interface Call {
  readonly pppoe: PppoeClient;
  giveUpAt: Instant;
  session: { readonly acMac: Uint8Array; readonly id: number } | undefined;
  ppp: PppClient | undefined;
  address: string | undefined;
  leaving: boolean;
}

/** A subscriber with a line of his own: PPPoE and PPP in the client's role, and a will. */
export class Cpe {
  readonly config: CpeConfig;
  readonly mac: Uint8Array;
  onEthernet: (frame: Uint8Array) => void = () => {};
  readonly #world: World;
  readonly #chance: Chance;
  readonly #random: RandomSource;
  #call: Call | undefined;
  #calls = 0;
  #nextCallAt: Instant;
  #renegotiateAt: Instant = NEVER;
  #probeAt: Instant = NEVER;
  #probes = 0;
  #wantsService = true;
  /** Undefined when something has happened since it was asked for. */
  #wakeAt: Instant | undefined;
  #calm = false;
  /** When a packet of this call came back last. */
  provenAt: Instant | undefined;
  /** When he was told last that he is not let in. */
  refusedAt: Instant | undefined;

  constructor(config: CpeConfig, world: World) {
    this.config = config;
    this.mac = Uint8Array.of(2, 0, 0, 1, 0, config.number);
    this.#world = world;
    this.#chance = world.chance.fork();
    this.#random = world.chance.source();
    this.#nextCallAt = this.#chance.between(0, 5_000);
    const toldOnce = new ToldOnce(this.name, world.referee);
    new Machines(world, (call) => toldOnce.called(call)).watch(this.#random);
  }

  get name(): string {
    return `cpe${this.config.number}`;
  }

  get address(): string | undefined {
    return this.#call?.address;
  }

  /** Of the session that he thinks he has. */
  get sessionId(): number | undefined {
    return this.#call?.session?.id;
  }

  get isIdle(): boolean {
    return this.#call === undefined;
  }

  /** The storm is over: he behaves, and shows that his session works. */
  calmDown(): void {
    this.#wakeAt = undefined;
    this.#calm = true;
    this.#renegotiateAt = NEVER;
    if (this.address !== undefined) this.#probeAt = this.#world.timeline.now;
  }

  /** He has had enough of it. */
  hangUp(): void {
    this.#wakeAt = undefined;
    this.#wantsService = false;
    this.#nextCallAt = NEVER;
    const call = this.#call;
    if (call === undefined) return;
    if (this.config.temperament.vanishes || call.ppp === undefined) this.#end("hangs up");
    else this.#leave(call);
  }

  /** When the world must call run(); it asks after every step, whoever's it was. */
  wakeAt(): Instant {
    this.#wakeAt ??= this.#nextWake();
    return this.#wakeAt;
  }

  #nextWake(): Instant {
    const call = this.#call;
    if (call === undefined) return this.#nextCallAt;
    return Math.min(
      call.pppoe.deadline(),
      call.ppp?.deadline() ?? NEVER,
      call.address === undefined && !call.leaving ? call.giveUpAt : NEVER,
      this.#renegotiateAt,
      this.#probeAt,
    );
  }

  run(): void {
    this.#wakeAt = undefined;
    const now = this.#world.timeline.now;
    const call = this.#call;
    if (call === undefined) {
      if (now >= this.#nextCallAt) this.#dial();
      return;
    }
    if (call.address === undefined && !call.leaving && now >= call.giveUpAt) {
      this.#end("loses patience");
      return;
    }
    this.#discovery(call, call.pppoe.timeout(now));
    if (call.ppp !== undefined) this.#link(call, call.ppp.timeout(now));
    if (this.#call !== call) return;
    if (now >= this.#probeAt) this.#probe(call);
    if (now >= this.#renegotiateAt) this.#renegotiate(call);
  }

  receiveEthernet(frame: Uint8Array): void {
    this.#wakeAt = undefined;
    const call = this.#call;
    if (call === undefined || !this.#isForMe(frame)) return;
    const { now } = this.#world.timeline;
    if (etherTypeOf(frame) === "discovery") {
      this.#discovery(call, call.pppoe.receive(now, frame));
      return;
    }
    const { sessionId, ppp } = readSessionFrame(frame);
    if (call.session?.id !== sessionId || call.ppp === undefined) return;
    const parsed = parsePpp(ppp);
    if (parsed?.protocol === PPP_IPV4) this.#packet(call, parsed.information);
    else this.#link(call, call.ppp.receive(now, ppp));
  }

  #isForMe(frame: Uint8Array): boolean {
    const to = frame.subarray(0, 6);
    return (
      to.every((octet, i) => octet === this.mac[i]) || to.every((octet, i) => octet === BROADCAST_MAC[i])
    );
  }

  #dial(): void {
    const { now } = this.#world.timeline;
    this.#calls += 1;
    this.#world.trace.add(`${this.name} calls, for the ${this.#calls}. time`);
    const pppoe = new Pppoe(
      { localMac: this.mac, tags: this.config.tags, serviceName: "", retry: DEFAULT_PPPOE_CLIENT_RETRY },
      this.#random,
    );
    const call: Call = {
      pppoe,
      giveUpAt: now + this.config.temperament.patienceMs,
      session: undefined,
      ppp: undefined,
      address: undefined,
      leaving: false,
    };
    this.#call = call;
    this.provenAt = undefined;
    this.#discovery(call, pppoe.start(now));
  }

  #discovery(call: Call, outputs: readonly PppoeClientOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") this.onEthernet(output.frame);
      else if (output.kind === "down") this.#over(call, output.cause.text);
      else {
        call.session = { acMac: output.acMac, id: output.sessionId };
        this.#beginLink(call);
      }
    }
  }

  /** No addresses, for now: his patience begins anew. */
  #offline(call: Call): void {
    call.address = undefined;
    call.giveUpAt = this.#world.timeline.now + this.config.temperament.patienceMs;
  }

  #beginLink(call: Call): void {
    this.#offline(call);
    call.ppp = new Ppp(
      {
        link: "pppoe",
        mruBytes: 1492,
        maxMruBytes: 1492,
        user: this.config.user,
        password: new Secret(this.config.password),
        accept: ["chap-md5", "ms-chap-v2", "pap"],
        ipv4: true,
        ipv6: false,
        timers: DEFAULT_TIMERS,
      },
      this.#random,
    );
    this.#link(call, call.ppp.start(this.#world.timeline.now));
  }

  #link(call: Call, outputs: readonly LinkOutput[]): void {
    for (const output of outputs) {
      const { session } = call;
      if (this.#call !== call || session === undefined) return;
      switch (output.kind) {
        case "send":
          this.#sendPpp(session, output.frame);
          break;
        case "network-up":
          if (output.protocol === "ipv4") this.#online(call, output.localAddress);
          break;
        case "network-down":
          this.#offline(call);
          break;
        case "down":
          if (output.cause.kind === "authentication-failed") this.refusedAt = this.#world.timeline.now;
          this.#end(output.cause.text);
      }
    }
  }

  #online(call: Call, address: string): void {
    const { timeline, trace } = this.#world;
    const { renegotiateEveryMs, probeEveryMs } = this.config.temperament;
    trace.add(`${this.name} is online as ${address}`);
    call.address = address;
    this.#probeAt = this.#calm ? timeline.now : timeline.now + probeEveryMs;
    if (!this.#calm && renegotiateEveryMs !== NEVER)
      this.#renegotiateAt = timeline.now + this.#chance.between(0.5, 1.5) * renegotiateEveryMs;
  }

  #probe(call: Call): void {
    const { timeline } = this.#world;
    const source = call.address === undefined ? undefined : parseIpv4Address(call.address);
    if (source === undefined || call.session === undefined) {
      this.#probeAt = NEVER;
      return;
    }
    this.#probes += 1;
    const { number } = this.config;
    const packet = emitProbe({
      cpe: number,
      call: this.#calls,
      serial: this.#probes,
      source,
      destination: PROBED,
    });
    const proof = this.#calm && this.provenAt === undefined;
    this.#probeAt = timeline.now + (proof ? PROOF_MS : this.config.temperament.probeEveryMs);
    this.#sendPpp(call.session, emitPpp(PPP_IPV4, packet));
  }

  #sendPpp({ acMac, id }: NonNullable<Call["session"]>, frame: Uint8Array): void {
    const { tags } = this.config;
    this.onEthernet(emitSessionFrame({ destination: acMac, source: this.mac, tags }, id, frame));
  }

  /** The answer to a probe of ours: of this call, for it came in this call's session. */
  #packet(call: Call, packet: Uint8Array): void {
    const { timeline, referee } = this.#world;
    const probe = parseProbe(packet);
    if (probe === undefined) return;
    if (probe.cpe !== this.config.number || probe.call !== this.#calls)
      referee.report(
        "nothing is delivered on a closed session",
        `${this.name}, in call ${this.#calls}, gets what was sent to CPE ${probe.cpe} in call ${probe.call}`,
      );
    if (call.address !== undefined) this.provenAt = timeline.now;
    // as a PPP of the kernel's does: what comes in is a sign of life
    call.ppp?.onTraffic(timeline.now);
  }

  #renegotiate(call: Call): void {
    this.#renegotiateAt = NEVER;
    if (call.session === undefined || call.leaving) return;
    this.#world.trace.add(`${this.name} begins LCP anew`);
    this.#beginLink(call);
  }

  #leave(call: Call): void {
    call.leaving = true;
    this.#world.trace.add(`${this.name} hangs up`);
    this.#link(call, call.ppp?.terminate(this.#world.timeline.now, "bye") ?? []);
  }

  /** The end of a call, from our side: PADT, unless he is one who just goes. */
  #end(why: string): void {
    const call = this.#call;
    if (call === undefined) return;
    if (this.config.temperament.vanishes) this.#over(call, why);
    else this.#discovery(call, call.pppoe.close(this.#world.timeline.now, why));
  }

  #over(call: Call, why: string): void {
    if (this.#call !== call) return;
    this.#world.trace.add(`${this.name} is offline: ${why}`);
    this.#call = undefined;
    this.#probeAt = NEVER;
    this.#renegotiateAt = NEVER;
    this.provenAt = undefined;
    const satisfied = this.config.expects === "no" && this.#calm && this.refusedAt !== undefined;
    const [min, max] = this.config.temperament.redialMs;
    this.#nextCallAt =
      this.#wantsService && !satisfied ? this.#world.timeline.now + this.#chance.between(min, max) : NEVER;
  }
}
