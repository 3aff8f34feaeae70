import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Logger } from "../../../src/base/logger.ts";
import { startLoopDataplane } from "../../../src/dataplane/loop/engine.ts";
import type { LoopOptions } from "../../../src/dataplane/loop/options.ts";
import { addon } from "../../../src/io/native.ts";
import { ETHERTYPE_PPPOE_SESSION } from "../../../src/wire/ethernet.ts";
import { hasXsk, packetOptions, xskOptions } from "../../native/support.ts";
import { eventually } from "../../support/eventually.ts";

const usable = hasXsk();

describe.skipIf(!usable)("an access port", async () => {
  if (!usable) return;
  const { makeCable, openWire, RIG_OPTIONS } = await import("./rig.ts");
  let cable: ReturnType<typeof makeCable>;
  let closers: (() => Promise<void>)[];
  let lines: string[];
  const logger = {
    debug() {},
    info: (fields, message) => lines.push(`${message} ${JSON.stringify(fields)}`),
    warn() {},
    error() {},
  } as Logger;

  beforeEach(() => {
    cable = makeCable();
    closers = [];
    lines = [];
  });
  afterEach(async () => {
    for (const close of closers) await close();
    cable.remove();
  });

  async function start(options: Partial<LoopOptions> = {}) {
    const loop = await startLoopDataplane({ ...RIG_OPTIONS, ...options }, logger);
    closers.push(() => loop.close());
    const port = await loop.openPort({ kind: "ethernet", mtuBytes: 1500, ...cable.gateway });
    return { loop, port };
  }

  const reasons = () => lines.map((line) => /"reason":"(.*)"/.exec(line)?.[1]);

  it("sends by AF_XDP, or says why not and sends by packet sockets", async () => {
    const wire = openWire(cable.subscriber, ETHERTYPE_PPPOE_SESSION);
    closers.push(async () => wire.close());
    const arrived: Uint8Array[] = [];
    wire.onFrame((frame) => arrived.push(frame));
    const first = await start();
    expect(lines).toEqual([]);
    const second = await start();
    expect(reasons()).toEqual([
      expect.stringMatching(/^queue 0: bind: EBUSY, .*: somebody else has an AF_XDP socket/),
    ]);
    for (const { loop, port } of [first, second]) {
      const peer = loop.addPeer({
        kind: "ethernet",
        port,
        remoteMac: cable.subscriber.mac,
        localMac: cable.gateway.mac,
        tags: [],
      });
      const channel = loop.addChannel({ kind: "pppoe", peer, sessionId: 1 });
      arrived.length = 0;
      loop.inject(channel, Uint8Array.of(0xc0, 0x21, 9, 1, 0, 4));
      await eventually("the frame arrives", () => arrived.length === 1);
    }
  });

  it("gives workers that are added later queues of their own, and the others keep theirs", async () => {
    cable.remove();
    cable = makeCable(2);
    const { loop } = await start({ lanes: 2 });
    await loop.setWorkers(2);
    await loop.setWorkers(1);
    await loop.setWorkers(2);
    expect(lines).toEqual([]);
    const { name } = cable.gateway;
    const fd = addon.openPacket(packetOptions(name, { ringSlots: 0, slotBytes: 0 }));
    closers.push(async () => addon.close(fd));
    for (const queue of [0, 1])
      expect(() => addon.sendByXsk(fd, xskOptions(name, { queue }))).toThrow(
        expect.objectContaining({ code: "EBUSY" }),
      );
  });

  it("has its queue back for the next engine, and needs none that is not there", async () => {
    const { loop } = await start();
    await loop.close();
    const { loop: next } = await start();
    expect(lines).toEqual([]);
    await next.close();
    await start({ workers: 2 });
    expect(reasons()).toEqual([expect.stringContaining("queue 1: bind: EINVAL")]);
    await start({ xskSlots: 0 });
    expect(reasons()[1]).toBe("AF_XDP is not to be used");
  });
});
