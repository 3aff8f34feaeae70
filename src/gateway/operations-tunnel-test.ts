/** A call without a subscriber: an operator's test of destination, LNS, tunnel and call. It goes as far as ICRP. */

import { type Deferred, deferred } from "../base/deferred.ts";
import type { Instant } from "../base/time.ts";
import { counted, duration } from "../base/words.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { L2tpPeerConfig } from "../config/config.ts";
import type { CallRequest } from "../l2tp/outputs.ts";
import { CDN_RESULT } from "../wire/l2tp-codes.ts";
import type { Decision } from "./destination.ts";
import type { EventBus, TimedEvent } from "./events.ts";
import type { Gateway } from "./gateway.ts";
import type { OnwardCall, OnwardHandler } from "./onward-call.ts";
import { OperationError } from "./operation-error.ts";
import { noSuch } from "./operations-names.ts";
import type { TestStepView, TunnelTestRequest, TunnelTestView } from "./operations-views.ts";
import type { Surroundings } from "./surroundings.ts";
import type { LnsView } from "./views.ts";

/** Longer than a call looks for an LNS. */
const LIMIT_MS = 35_000;
/** Bearer Type of ICRQ: digital (RFC 2661 §4.4.4), as of subscribers. */
const BEARER_DIGITAL = 1;
/** What an LNS's log shows of such a call. */
const CALLING_NUMBER = "lacewing-test";

/** Tests as `request` says. Throws an OperationError when nobody can be called for what it names. */
export async function testTunnel(
  request: TunnelTestRequest,
  gateway: Gateway,
  around: Surroundings,
  events: EventBus,
): Promise<TunnelTestView> {
  const { lns, step } = destinationOf(request, gateway, around);
  const steps = step === undefined ? [] : [step];
  if (lns === undefined) return { ok: step?.ok === true, steps };
  steps.push(candidates(lns, gateway.lnsViews()));
  const test = new TestCall(gateway, around, events);
  const called = await test.run(lns);
  return { ok: called.every(({ ok }) => ok), steps: [...steps, ...called] };
}

/** The LNS or group; undefined where the calls would not go to one. */
function destinationOf(
  request: TunnelTestRequest,
  { destinations, lnses, lines }: Gateway,
  { config }: Surroundings,
): { readonly lns: string | undefined; readonly step?: TestStepView } {
  const { lns } = request;
  if (lns !== undefined) {
    if (!lnses.has(lns)) throw noSuch("LNS or group", lns, lnses.names());
    return { lns };
  }
  const portName = request.interface ?? lines[0]?.config.interface;
  if (portName !== undefined && !lines.some((line) => line.config.interface === portName))
    throw noSuch(
      "access interface",
      portName,
      lines.map((line) => line.config.interface),
    );
  const user = request.user ?? `test@${request.realm}`;
  const from = { serviceName: "", portName, vlanIds: [], destination: undefined };
  const decision = destinations.decide(user, from);
  const { to } = decision;
  const whom = `${user} calling${portName === undefined ? "" : ` on ${portName}`}`;
  const text = `${whom} ${goal(decision)} (${WHY[decision.by]}).`;
  return {
    lns: to.kind === "lns" ? to.lns : undefined,
    step: {
      step: "destination",
      ok: to.kind !== "refuse",
      text: `${config.name}: ${text}`,
      milliseconds: null,
    },
  };
}

function goal({ to }: Decision): string {
  switch (to.kind) {
    case "lns":
      return `goes to the LNS ${to.lns}`;
    case "terminate":
      return `is terminated here, in the unit group ${to.unit}: no LNS is needed`;
    case "refuse":
      return "is refused";
  }
}

const WHY: Readonly<Record<Decision["by"], string>> = {
  service: "`services` says so of calls without a Service-Name",
  line: "`lines` says so",
  peer: "the policy of the peer says so",
  realm: "`realms` says so",
  default: "neither `services` nor `lines` nor `realms` know it: `default`",
};

function candidates(name: string, views: readonly LnsView[]): TestStepView {
  const inGroup = views.filter(({ group }) => group === name);
  // a member of a group may be a destination by itself, too
  const members = inGroup.length > 0 ? inGroup : views.filter(({ peer }) => peer === name).slice(0, 1);
  const words = members.map(({ peer, preference, state, lockedForSeconds, reason, tunnels, sessions }) => {
    const locked =
      lockedForSeconds === null ? "" : ` for ${duration(lockedForSeconds)} more (${reason ?? "?"})`;
    return `${peer}: preference ${preference}, ${state}${locked}, ${counted(tunnels, "tunnel")}, ${counted(sessions, "session")}`;
  });
  const ok = members.some(({ state }) => state !== "locked-out");
  return { step: "candidates", ok, text: `${words.join("; ")}.`, milliseconds: null };
}

class TestCall implements OnwardHandler {
  readonly #gateway: Gateway;
  readonly #around: Surroundings;
  readonly #events: EventBus;
  readonly #done: Deferred = deferred();
  readonly #steps: TestStepView[] = [];
  /** The LNSes that were called, in order. */
  readonly #called: string[] = [];
  /** Tunnels that came up meanwhile. */
  readonly #opened = new Map<string, { readonly setupMs: number; readonly at: Instant }>();
  readonly #startedAt: Instant;
  #onward: OnwardCall | undefined;
  #isOver = false;

  constructor(gateway: Gateway, around: Surroundings, events: EventBus) {
    this.#gateway = gateway;
    this.#around = around;
    this.#events = events;
    this.#startedAt = around.clock.now();
  }

  async run(lns: string): Promise<readonly TestStepView[]> {
    const { tunnels, lnses } = this.#gateway;
    if (tunnels === undefined)
      throw new OperationError("busy", "L2TP is not up yet", "try again in a moment");
    const leave = this.#events.subscribe((event) => this.#happened(event));
    try {
      this.#onward = lnses.call(tunnels, lns, this);
      this.#onward.start();
      this.#around.scheduler.update(this);
      await this.#done.promise;
      await this.#onward.release();
    } finally {
      leave();
      this.#around.scheduler.remove(this);
    }
    return this.#steps;
  }

  get isWanted(): boolean {
    return !this.#isOver;
  }

  request({ name }: L2tpPeerConfig): Omit<CallRequest, "callSerialNumber"> {
    this.#called.push(name);
    return { bearerType: BEARER_DIGITAL, callingNumber: CALLING_NUMBER };
  }

  numbers(): boolean {
    return false;
  }

  changed(): void {
    if (!this.#isOver) this.#around.scheduler.update(this);
  }

  accepted(_channel: ChannelId, { name }: L2tpPeerConfig): void {
    const now = this.#around.clock.now();
    const opened = this.#opened.get(name);
    const others = this.#called.slice(0, -1).filter((each) => each !== name);
    this.#step(
      "tunnel",
      true,
      opened === undefined
        ? `There is a tunnel with ${name} already.`
        : `${name} took a new tunnel: SCCRP came after SCCRQ.`,
      opened?.setupMs ?? null,
    );
    const after = others.length === 0 ? "" : `, after ${others.join(", ")} had not`;
    const since = Math.max(this.#startedAt, opened?.at ?? this.#startedAt);
    this.#step("call", true, `${name} took the call: ICRP came after ICRQ${after}.`, now - since);
    this.#onward?.hangUp({ result: CDN_RESULT.administrative, message: "test of the tunnel" });
    this.#step("end", true, "The call was ended by CDN before ICCN: no subscriber was there.", null);
    this.#finish();
  }

  lost(): void {
    // not after accepted(), which hangs up at once
  }

  refused(text: string): void {
    for (const [name, { setupMs }] of this.#opened)
      this.#step("tunnel", true, `${name} took a new tunnel: SCCRP came after SCCRQ.`, setupMs);
    this.#step("call", false, `No LNS took the call: ${text}.`, this.#around.clock.now() - this.#startedAt);
    this.#finish();
  }

  report(): boolean {
    return false;
  }

  ended(): void {
    // only of calls that were connected
  }

  deadline(): Instant {
    return Math.min(this.#startedAt + LIMIT_MS, this.#onward?.deadline() ?? this.#startedAt);
  }

  timeout(now: Instant): void {
    if (this.#isOver) return;
    if (now >= this.#startedAt + LIMIT_MS) {
      const text = `Nobody has taken or refused the call; the last one asked was ${this.#called.at(-1) ?? "nobody"}.`;
      this.#step("call", false, text, now - this.#startedAt);
      this.#onward?.hangUp({ result: CDN_RESULT.administrative, message: "test of the tunnel" });
      this.#finish();
      return;
    }
    this.#onward?.timeout(now);
    if (!this.#isOver) this.#around.scheduler.update(this);
  }

  #happened({ event }: TimedEvent): void {
    if (event.kind !== "tunnel-up" || event.setupMs === null) return;
    this.#opened.set(event.peer, { setupMs: event.setupMs, at: this.#around.clock.now() });
  }

  #step(step: string, ok: boolean, text: string, milliseconds: number | null): void {
    this.#steps.push({ step, ok, text, milliseconds });
  }

  #finish(): void {
    this.#isOver = true;
    this.#done.resolve();
  }
}
