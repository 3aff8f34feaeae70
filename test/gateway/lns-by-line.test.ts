import { describe, expect, it } from "vitest";
import { concatBytes, readU16 } from "../../src/base/bytes.ts";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import { type Field, sessionsOf, startField } from "../support/lns-field.ts";
import { World } from "../support/world.ts";

const TAG_BYTES = 4;
const ADDRESSES_BYTES = 12;

let world: World;

async function field(...args: Parameters<typeof startField> extends [World, ...infer Rest] ? Rest : never) {
  world = new World(61);
  return startField(world, ...args);
}

/** Puts subscribers behind VLAN tags: by the last octet of the MAC address, the outermost first; the others go without. */
function tag({ lac, side }: Field, tagsOf: ReadonlyMap<number, readonly number[]>): void {
  const { onEthernet: toLac } = side;
  const { onEthernet: toSubscribers } = lac;
  side.onEthernet = (frame) => {
    const tags = (tagsOf.get(frame[11]!) ?? []).map((id) => Uint8Array.of(0x81, 0, id >>> 8, id));
    toLac(concatBytes(frame.subarray(0, ADDRESSES_BYTES), ...tags, frame.subarray(ADDRESSES_BYTES)));
  };
  lac.onEthernet = (frame) => {
    let at = ADDRESSES_BYTES;
    const seen: number[] = [];
    for (; readU16(frame, at) === 0x8100; at += TAG_BYTES) seen.push(readU16(frame, at + 2) & 0xfff);
    // nobody hears what is not under his own tags
    if (seen.join() === (tagsOf.get(frame[5]!) ?? []).join())
      toSubscribers(concatBytes(frame.subarray(0, ADDRESSES_BYTES), frame.subarray(at)));
  };
}

/** A subscriber's MAC address ends in his number. */
function call(
  { side }: Field,
  number: number,
  user = "alice@isp.example",
  password = "wonderland",
): Subscriber {
  const caller = side.subscriber(number, user, password);
  caller.start();
  return caller;
}

const takesAnybody = (yaml: string): string => `${yaml}\ndefault: { terminate: subscribers }\n`;

const ALICE = { user: "alice@isp.example", state: "open" };

describe("a call goes to the LNS", () => {
  it("of its VLAN, of its outer VLAN, or of its port, whatever its realm is", async () => {
    const f = await field({
      lac: `
lines:
  - { interface: acc0, vlans: 100-199, to: { lns: a } }
  - { interface: acc0, outer-vlans: 300, to: { lns: b } }
  - { interface: acc0, to: { lns: c } }
`,
    });
    tag(
      f,
      new Map([
        [1, [150]],
        [2, [300, 7]],
      ]),
    );
    call(f, 1);
    await world.until(() => f.side.online.size === 1, 5000);
    expect(sessionsOf(f)).toEqual({ a: 1, b: 0, c: 0 });
    call(f, 2);
    await world.until(() => f.side.online.size === 2, 5000);
    expect(sessionsOf(f)).toEqual({ a: 1, b: 1, c: 0 });
    call(f, 3);
    await world.until(() => f.side.online.size === 3, 5000);
    expect(sessionsOf(f)).toEqual({ a: 1, b: 1, c: 1 });
    const where = f.lac.views
      .sessions()
      .map(({ user, state, onward }) => ({ user, state, to: onward?.peer }));
    expect(where.toSorted((x, y) => (x.to! < y.to! ? -1 : 1))).toEqual([
      { ...ALICE, to: "a" },
      { ...ALICE, to: "b" },
      { ...ALICE, to: "c" },
    ]);
  });

  it("of a line's group, the next one where the first is dead", async () => {
    const members = "{ peer: a, preference: 1 }, { peer: b, preference: 2 }";
    const lac = "lines: [{ vlans: 100, to: { lns: wholesale } }]";
    const f = await field({ lac, members, lnsYaml: { b: takesAnybody } }, ["a"]);
    tag(f, new Map([[1, [100]]]));
    // without a realm
    call(f, 1, "bob", "builder");
    await world.until(() => f.side.online.size === 1, 10_000);
    expect(sessionsOf(f)).toEqual({ a: 0, b: 1, c: 0 });
  });

  it("of the default, when neither line nor realm is known", async () => {
    const f = await field({
      lac: "lines: [{ vlans: 100, to: { lns: a } }]\ndefault: { lns: c }",
      lnsYaml: { c: takesAnybody },
    });
    call(f, 1, "bob", "builder");
    await world.until(() => f.side.online.size === 1, 5000);
    expect(sessionsOf(f)).toEqual({ a: 0, b: 0, c: 1 });
  });
});
