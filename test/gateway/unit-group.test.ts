import { expect, it } from "vitest";
import type { LocalUser } from "../../src/aaa/local-users.ts";
import type { UnitConfig } from "../../src/config/config.ts";
import type { Session } from "../../src/gateway/session.ts";
import type { Surroundings } from "../../src/gateway/surroundings.ts";
import { UnitGroup } from "../../src/gateway/unit-group.ts";

const ADDRESS = "192.0.2.7";
const ALICE = { name: "alice", address: ADDRESS } as LocalUser;
const CONFIG = { mode: "device", name: "u%d", address: "192.0.2.1", mtuBytes: 1492 } as UnitConfig;
const AROUND = { config: { users: [ALICE] } } as unknown as Surroundings;

/** One that has ended when it is told to, and gives nothing back. */
function session(): { readonly session: Session; readonly ends: () => number } {
  let ends = 0;
  const end = (): void => {
    ends += 1;
    if (ends > 1) throw new Error("he has been told before");
  };
  const fake = { end, ended: Promise.resolve(), isOver: false };
  return { session: fake as unknown as Session, ends: () => ends };
}

it("a fixed address is taken over from a session that has ended without giving it back", async () => {
  const group = new UnitGroup("subscribers", CONFIG, AROUND);
  const stale = session();
  const next = session();
  expect(await group.lease(ALICE, stale.session)).toEqual({ ok: true, address: ADDRESS });
  expect(await group.lease(ALICE, next.session)).toEqual({ ok: true, address: ADDRESS });
  expect(stale.ends()).toBe(1);
  group.release(ADDRESS, stale.session);
  // it is the new one's
  expect(await group.lease(ALICE, next.session)).toEqual({ ok: true, address: ADDRESS });
  expect(next.ends()).toBe(0);
});
