import { deserialize, serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { randomBetween } from "../../src/base/random.ts";
import { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import type { AccessConcentratorOutput } from "../../src/pppoe/access-concentrator-types.ts";
import { DEFAULT_ADMISSION_LIMITS } from "../../src/pppoe/admission.ts";
import { newSessionIds } from "../../src/pppoe/session-ids.ts";
import { PADI, PADO, PADR } from "../../src/wire/pppoe.ts";
import { findTag, TAG_AC_COOKIE, TAG_SERVICE_NAME, textTag } from "../../src/wire/pppoe-tags.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { acConfig, frames, fromHost, hostMac } from "./support.ts";

const HOSTS = 12;
const STEPS = 200;
/** So little of everything that all of it runs out. */
const CONFIG = acConfig({
  limits: {
    padiPerMac: { perSecond: 20, burst: 20 },
    trackedMacs: 8,
    padoDelayMs: 100,
    confirmTimeoutMs: 250,
    loginBackoff: { free: 0, firstMs: 100, mostMs: 1_000, forgetMs: 5_000 },
    admission: {
      ...DEFAULT_ADMISSION_LIMITS,
      initialStarting: 2,
      minStarting: 1,
      maxStarting: 4,
      maxSetUps: 6,
      waitingPadis: 5,
      waitingPadrs: 4,
      padrPatienceMs: 50,
      startTimeoutMs: 400,
    },
  },
});

type Act = (ac: AccessConcentrator) => readonly AccessConcentratorOutput[];

/** A concentrator, and another that is made anew from a snapshot after every input. */
class Twins {
  readonly plain: AccessConcentrator;
  #restored: AccessConcentrator;

  constructor(seed: number) {
    const random = seededRandom(seed);
    const fresh = new AccessConcentrator(CONFIG, random).snapshot();
    const state = { ...fresh, ids: newSessionIds(random, 1, 5) };
    this.plain = new AccessConcentrator(CONFIG, random, state);
    this.#restored = new AccessConcentrator(CONFIG, random, state);
  }

  do(act: Act): readonly AccessConcentratorOutput[] {
    const outputs = act(this.plain);
    const again = act(this.#restored);
    if (outputs.length + again.length > 0) expect(again).toEqual(outputs);
    const state = deserialize(serialize(this.#restored.snapshot()));
    this.#restored = new AccessConcentrator(CONFIG, seededRandom(999), state);
    expect(this.#restored.deadline()).toBe(this.plain.deadline());
    expect(this.#restored.load()).toEqual(this.plain.load());
    return outputs;
  }
}

/** Hosts and an owner that do anything at any time. */
function storm(seed: number): AccessConcentrator {
  const twins = new Twins(seed);
  const random = seededRandom(seed + 1);
  const padrs: Uint8Array[] = [];
  const sessions: number[] = [];
  let now = 0;
  const take = (outputs: readonly AccessConcentratorOutput[]): void => {
    for (const { destination, packet } of frames(outputs)) {
      if (packet.code !== PADO) continue;
      const tags = [
        textTag(TAG_SERVICE_NAME, ""),
        { type: TAG_AC_COOKIE, value: findTag(packet.tags, TAG_AC_COOKIE)! },
      ];
      padrs.push(fromHost({ code: PADR, host: destination, tags }));
    }
    for (const output of outputs) if (output.kind === "session-requested") sessions.push(output.session);
  };
  const anyOf = <Item>(items: readonly Item[]): Item | undefined =>
    items[randomBetween(random, 0, Math.max(0, items.length - 1))];
  const end = (session: number): void => {
    take(twins.do((ac) => ac.close(now, session, "over")));
    twins.do((ac) => {
      ac.ended(now, session);
      return [];
    });
    sessions.splice(sessions.indexOf(session), 1);
  };
  for (let step = 0; step < STEPS; step++) {
    now += randomBetween(random, 0, 40);
    if (twins.plain.deadline() <= now) take(twins.do((ac) => ac.timeout(now)));
    const padr = anyOf(padrs);
    const session = anyOf(sessions);
    const dice = randomBetween(random, 0, 99);
    if (dice < 35) {
      const padi = fromHost({ code: PADI, host: hostMac(randomBetween(random, 1, HOSTS)) });
      take(twins.do((ac) => ac.receive(now, padi)));
    } else if (dice < 60) {
      if (padr !== undefined) take(twins.do((ac) => ac.receive(now, padr)));
    } else if (dice >= 97) {
      take(twins.do((ac) => ac.drain(now, dice === 99)));
    } else if (session !== undefined) {
      if (dice < 75) take(twins.do((ac) => ac.confirm(now, session)));
      else if (dice < 82) take(twins.do((ac) => ac.heard(now, session)));
      else if (dice < 86) take(twins.do((ac) => ac.established(now, session)));
      else {
        if (dice < 94) take(twins.do((ac) => ac.loginResult(now, session, dice > 92)));
        end(session);
      }
    }
  }
  return twins.plain;
}

describe("a concentrator that is restored after every input", () => {
  it("does the same as one that is not, whoever waits, is refused or is held back", () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 5; seed++) {
      const { discarded, padsRefused: _, ...counters } = storm(seed).counters();
      for (const [name, count] of Object.entries({ ...counters, ...discarded }))
        if (count > 0) seen.add(name);
    }
    // nothing of this has been left out
    for (const name of [
      "padiDelayed",
      "padrDelayed",
      "sessionsReplaced",
      "requestsUnconfirmed",
      "draining",
      "login-backoff",
      "no-room-to-wait",
      "waited-too-long",
      "closing",
    ])
      expect(seen).toContain(name);
  });
});
