import { expect, it } from "vitest";
import { Sequencing } from "../../../src/dataplane/memory/sequencing.ts";
import { DELIVER } from "../../../src/dataplane/reorder.ts";

it("puts in order as before after hundreds of messages have been given up", () => {
  const out: number[] = [];
  const sequencing = new Sequencing(
    1,
    1,
    (_channel, frame) => out.push(frame[0]!),
    () => expect.unreachable(),
  );
  const ids = { localTunnelId: 1, localSessionId: 1, remoteTunnelId: 1, remoteSessionId: 1 };
  sequencing.add(1, { kind: "l2tp", peer: 1, ...ids, reorder: { frames: 2, timeMs: 100 } });
  const receive = (ns: number) => {
    if (sequencing.arrive(1, ns, Uint8Array.of(ns)) !== DELIVER) return;
    out.push(ns & 0xff);
    sequencing.arrived(1);
  };
  // every other one is missing, and none is ever next: the pool has half as many places
  const count = 510;
  for (let ns = 1; ns < count; ns += 2) receive(ns);
  for (const ns of [count + 2, count + 1, count]) receive(ns);
  expect(out.slice(-3)).toEqual([count, count + 1, count + 2].map((ns) => ns & 0xff));
});
