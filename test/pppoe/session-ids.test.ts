import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newSessionIds, SessionIds } from "../../src/pppoe/session-ids.ts";
import { sessionKey } from "../../src/pppoe/vlan-scope.ts";
import { seededRandom } from "../support/seeded-random.ts";

/** Ids from 1 to `max`, and what is taken. */
function idsUpTo(max: number) {
  const taken = new Set<number>();
  const state = newSessionIds(seededRandom(1), 1, max);
  const ids = new SessionIds(state, [], (key) => taken.has(key));
  return {
    state,
    taken,
    take(scope: number): number | undefined {
      const id = ids.take(scope);
      if (id !== undefined) taken.add(sessionKey(scope, id));
      return id;
    },
    release(scope: number, id: number): void {
      taken.delete(sessionKey(scope, id));
      ids.release(scope, id);
    },
  };
}

describe("session ids", () => {
  it("are unique on the port while there are unused ones, and then within each VLAN", () => {
    const { take } = idsUpTo(8);
    const first = [1, 2, 1, 2, 1, 2, 1, 2].map(take);
    expect(new Set(first).size).toBe(8);
    const ofOne = [...first.filter((_, i) => i % 2 === 0), ...[1, 1, 1, 1].map(take)];
    expect(new Set(ofOne).size).toBe(8);
    expect(take(1)).toBeUndefined();
    expect(take(2)).toBeDefined();
    expect([3, 3, 3, 3, 3, 3, 3, 3, 3].map(take).filter((id) => id !== undefined)).toHaveLength(8);
  });

  it("are never given to two sessions of a VLAN, also from a copy of their state", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.boolean(), fc.nat(20)), { maxLength: 80 }), (steps) => {
        const taken = new Map<number, { readonly scope: number; readonly sessionId: number }>();
        const state = newSessionIds(seededRandom(1), 1, 6);
        for (const [scope, take, which] of steps) {
          const ids = new SessionIds(state, taken.values(), (key) => taken.has(key));
          const [key, victim] = [...taken][which % Math.max(1, taken.size)] ?? [];
          if (take || victim === undefined || key === undefined) {
            const sessionId = ids.take(scope);
            const used = [...taken.values()].filter((session) => session.scope === scope).length;
            expect(sessionId === undefined).toBe(used === 6);
            if (sessionId === undefined) continue;
            expect(taken.has(sessionKey(scope, sessionId))).toBe(false);
            taken.set(sessionKey(scope, sessionId), { scope, sessionId });
          } else {
            taken.delete(key);
            ids.release(victim.scope, victim.sessionId);
          }
        }
      }),
    );
  });
});
