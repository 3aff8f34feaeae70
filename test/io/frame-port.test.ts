import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { concatBytes, fromHex } from "../../src/base/bytes.ts";
import type { FramePort } from "../../src/io/frame-port.ts";
import { deferred } from "../support/deferred.ts";
import { eventually } from "../support/eventually.ts";

const isRoot = process.getuid?.() === 0;
const A = `lwfp${process.pid % 1e6}a`;
const B = `lwfp${process.pid % 1e6}b`;

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
}

function link(name: string) {
  return { name, ifindex: Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8")) };
}

describe.skipIf(!isRoot)("a port for discovery frames (root)", async () => {
  if (!isRoot) return;
  const { openFramePort } = await import("../../src/io/frame-port.ts");
  let a: FramePort;
  let b: FramePort;

  beforeEach(() => {
    ip("link", "add", A, "type", "veth", "peer", "name", B);
    for (const name of [A, B]) {
      ip("link", "set", name, "addrgenmode", "none");
      ip("link", "set", name, "up");
    }
    a = openFramePort(link(A));
    b = openFramePort(link(B));
  });

  afterEach(() => {
    a.close();
    b.close();
    ip("link", "del", A);
  });

  const frame = (type: string, number: number) =>
    concatBytes(fromHex("ffffffffffff 020000000001"), fromHex(type), new Uint8Array(46).fill(number));

  it("takes them under up to two tags, which are there as on the wire, and no others", async () => {
    const types = ["8864", "8863", "8100 0064 8863", "0800", "88a8 0064 8100 2005 8863"];
    const received: Uint8Array[] = [];
    const all = deferred<void>();
    b.onFrame((octets) => {
      received.push(octets);
      if (received.length === 3) all.resolve();
    });
    for (const [i, type] of types.entries()) a.send(frame(type, i));
    await all.promise;
    expect(received).toEqual([frame(types[1]!, 1), frame(types[2]!, 2), frame(types[4]!, 4)]);
  });

  it("counts what it has no room for", async () => {
    const received = deferred<void>();
    expect(b.dropped()).toBe(0);
    b.onFrame(() => received.resolve());
    // all in one turn, in which nothing is read: more than the buffer holds
    const sent = 60_000;
    for (let i = 0; i < sent; i++) a.send(frame("8863", i & 0xff));
    a.close();
    await received.promise;
    expect(b.dropped()).toBeGreaterThan(0);
    expect(b.dropped()).toBeLessThan(sent - 10_000);
    a = openFramePort(link(A));
  });

  it("comes back with its interface", async () => {
    const received: Uint8Array[] = [];
    b.onFrame((octets) => received.push(octets));
    ip("link", "set", B, "down");
    a.send(frame("8863", 1));
    // it leaves, and is lost, at the end of this turn
    await new Promise((resolve) => setImmediate(resolve));
    ip("link", "set", B, "up");
    // the other end has a carrier again when this end is up, but the kernel takes a while until it sends again
    await eventually("a frame has come", () => {
      a.send(frame("8863", 2));
      return received.length > 0;
    });
    expect(received[0]).toEqual(frame("8863", 2));
  });
});
