import fc from "fast-check";
import { expect, it } from "vitest";
import { packTags, sessionKey, unpackTags, vlanScope } from "../../src/pppoe/vlan-scope.ts";
import { sameVlans, type VlanTag } from "../../src/wire/ethernet.ts";

const tags = fc.array(fc.record({ tpid: fc.constantFrom(0x8100, 0x88a8, 0x9100), tci: fc.nat(0xffff) }), {
  maxLength: 2,
}) as fc.Arbitrary<readonly VlanTag[]>;

it("tags are the same after packing", () => {
  fc.assert(
    fc.property(tags, (some) => {
      expect(unpackTags(packTags(some))).toEqual(some);
    }),
  );
});

it("a session's number tells its id and its VLANs, and no priority", () => {
  const id = fc.integer({ min: 1, max: 0xfffe });
  fc.assert(
    fc.property(tags, tags, id, id, (a, b, idOfA, idOfB) => {
      const [first, second] = [
        sessionKey(vlanScope(packTags(a)), idOfA),
        sessionKey(vlanScope(packTags(b)), idOfB),
      ];
      expect(Number.isSafeInteger(first)).toBe(true);
      expect(first === second).toBe(idOfA === idOfB && sameVlans(a, b));
      expect(
        sessionKey(vlanScope(packTags(a.map((tag) => ({ ...tag, tci: tag.tci ^ 0xf000 })))), idOfA),
      ).toBe(first);
    }),
  );
});

it("a session without tags is known by its id", () => {
  expect(sessionKey(vlanScope(packTags([])), 77)).toBe(77);
});
