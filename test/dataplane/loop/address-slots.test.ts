import { describe, expect, it } from "vitest";
import { addressRecord } from "../../../src/dataplane/loop/address-record.ts";
import { AddressSlots } from "../../../src/dataplane/loop/address-slots.ts";
import { ADDRESS_BYTES, ADDRESS_GROUP_MAX } from "../../../src/io/addon.ts";

const NEVER_FULL = (): void => {
  throw new Error("there is room");
};

describe("address slots", () => {
  it("hold the record of an address, port, DSCP and local address once each", () => {
    const slots = new AddressSlots();
    const at = slots.offsetOf("192.0.2.1", 1701, 48, "192.0.2.9", NEVER_FULL);
    const record = slots.table.slice(at, at + ADDRESS_BYTES);
    record.fill(0, ADDRESS_GROUP_MAX, ADDRESS_GROUP_MAX + 4);
    expect(record).toEqual(addressRecord("192.0.2.1", 1701, 48, "192.0.2.9"));
    expect(slots.offsetOf("192.0.2.1", 1701, 48, "192.0.2.9", NEVER_FULL)).toBe(at);
    const others = [
      slots.offsetOf("192.0.2.2", 1701, 48, "192.0.2.9", NEVER_FULL),
      slots.offsetOf("192.0.2.1", 1702, 48, "192.0.2.9", NEVER_FULL),
      slots.offsetOf("192.0.2.1", 1701, 0, "192.0.2.9", NEVER_FULL),
      slots.offsetOf("192.0.2.1", 1701, 48, undefined, NEVER_FULL),
    ];
    expect(new Set([at, ...others]).size).toBe(5);
  });

  it("let groups of small datagrams leave together", () => {
    const slots = new AddressSlots();
    const at = slots.offsetOf("192.0.2.1", 1701, 48, undefined, NEVER_FULL);
    const groupMax = new Uint32Array(slots.table.buffer, at + ADDRESS_GROUP_MAX, 1)[0]!;
    expect(groupMax).toBeGreaterThan(512);
    expect(groupMax).toBeLessThanOrEqual(1280 - 40 - 8);
  });

  it("begin anew when they are full, and say so before", () => {
    const slots = new AddressSlots();
    let forgotten = 0;
    for (let port = 1; port <= 300; port++)
      slots.offsetOf("192.0.2.1", port, 0, undefined, () => {
        forgotten += 1;
        // who still refers to the old records can send to them now
        expect(slots.table.slice(0, ADDRESS_BYTES)[3]).toBe(1);
      });
    expect(forgotten).toBe(1);
    const at = slots.offsetOf("192.0.2.1", 300, 0, undefined, NEVER_FULL);
    expect(slots.table[at + 2]! * 256 + slots.table[at + 3]!).toBe(300);
  });
});
