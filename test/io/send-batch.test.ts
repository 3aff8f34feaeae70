import { describe, expect, it } from "vitest";
import { TX_BODY_LENGTH, TX_BODY_OFFSET, TX_STRIDE } from "../../src/io/addon.ts";
import { type BatchRegion, Outlet, SendBatch } from "../../src/io/send-batch.ts";

const EAGAIN = 11;

/** A region whose system takes so many frames of each call, and what it has taken: descriptor and first octet. */
function region(takes: readonly number[] = []): BatchRegion & { readonly sent: string[]; calls: number } {
  const bytes = new Uint8Array(SendBatch.REGION_BYTES);
  const sent: string[] = [];
  const send = (fd: number, descriptors: Int32Array, count: number): number => {
    const taken = Math.min(count, takes[made.calls] ?? count);
    made.calls += 1;
    for (let i = 0; i < taken; i++) {
      const at = descriptors[i * TX_STRIDE + TX_BODY_OFFSET]!;
      sent.push(`${fd}: ${bytes[at]} of ${descriptors[i * TX_STRIDE + TX_BODY_LENGTH]}`);
    }
    return taken;
  };
  const made = {
    bytes,
    sent,
    calls: 0,
    lastErrno: EAGAIN,
    allocate: () => 0,
    sendPacket: send,
    sendUdp: send,
  };
  return made;
}

function add(batch: SendBatch, outlet: Outlet, mark: number, length: number, user = 0): void {
  batch.bytes[batch.add(outlet, length, 0, user)] = mark;
}

const NOBODY = (): void => {
  throw new Error("nothing is refused here");
};

describe("a batch of frames to send", () => {
  it("leaves with one call for each descriptor, in order", () => {
    const r = region();
    const batch = new SendBatch(r, new Uint8Array(0), NOBODY);
    const [a, b] = [new Outlet("packet", 3), new Outlet("udp", 4)];
    add(batch, a, 1, 60);
    add(batch, b, 2, 12);
    add(batch, a, 3, 61);
    expect(r.sent).toEqual([]);
    expect(batch.isEmpty).toBe(false);
    batch.flush();
    expect(r.sent).toEqual(["3: 1 of 60", "3: 3 of 61", "4: 2 of 12"]);
    expect(r.calls).toBe(2);
    expect(batch.isEmpty).toBe(true);
  });

  it("loses what the system refuses, says so, and nothing behind it", () => {
    const r = region([1, 0, 1]);
    const refused: (readonly number[])[] = [];
    const batch = new SendBatch(r, new Uint8Array(0), ({ user, octets, address, errno }) =>
      refused.push([user, octets, address, errno]),
    );
    const outlet = new Outlet("packet", 3);
    for (const mark of [1, 2, 3, 4]) add(batch, outlet, mark, 60 + mark, 70 + mark);
    batch.flush();
    expect(r.sent).toEqual(["3: 1 of 61", "3: 4 of 64"]);
    expect(refused).toEqual([
      [72, 62, 0, EAGAIN],
      [73, 63, 0, EAGAIN],
    ]);
  });

  it.each([
    ["many frames", 1000, 60],
    ["large frames", 20, 65_535],
  ])("sends by itself what it has no room for: %s", (_what, count, length) => {
    const r = region();
    const batch = new SendBatch(r, new Uint8Array(0), NOBODY);
    const outlet = new Outlet("packet", 3);
    for (let i = 0; i < count; i++) add(batch, outlet, i % 200, length);
    batch.flush();
    expect(r.sent).toEqual(Array.from({ length: count }, (_, i) => `3: ${i % 200} of ${length}`));
    expect(r.calls).toBeLessThan(count);
  });
});
