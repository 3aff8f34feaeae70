import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { readU32, writeU32 } from "../../../src/base/bytes.ts";
import type { ChannelId, UnitId } from "../../../src/channel/dataplane.ts";
import { isRoot } from "../../support/system.ts";
import { ipv4Frame, pppoeFrame, readPppoe, udpPacket } from "../frames.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 4, 1);
const SUBSCRIBERS = 24;
const FIRST_ID = 301;
/** Packets that are on their way at once each way: fewer than the host's socket and one queue of a device take. */
const IN_FLIGHT = 72;
const IP_UDP_BYTES = 28;

describe.skipIf(!isRoot)("a shared unit with several queues (root)", async () => {
  if (!isRoot) return;
  const { ip, loopRig } = await import("./rig.ts");
  const { steeringRefusal } = await import("../../native/steering.ts");
  const steered = steeringRefusal() === undefined;
  let rig: Awaited<ReturnType<typeof loopRig>>;

  afterEach(() => rig.close());

  const addressOf = (index: number) => rig.unitAddress.replace(/\.1$/, `.${10 + index}`);

  /** A shared unit, and a PPPoE session for each subscriber behind it. */
  async function subscribers(): Promise<UnitId> {
    const { dataplane } = rig;
    const peer = dataplane.addPeer({
      kind: "ethernet",
      port: rig.access,
      remoteMac: MAC,
      localMac: rig.gatewayMac,
      tags: [],
    });
    const unit = await dataplane.createUnit({
      name: rig.unitName,
      mtuBytes: 1400,
      addresses: [`${rig.unitAddress}/24`],
      routes: [],
      shared: true,
    });
    for (let i = 0; i < SUBSCRIBERS; i++) {
      const channel: ChannelId = dataplane.addChannel({ kind: "pppoe", peer, sessionId: FIRST_ID + i });
      await dataplane.attach(channel, {
        unit,
        addresses: [addressOf(i)],
        mruBytes: 1400,
        clampMss: false,
        ipv6: false,
      });
    }
    return unit;
  }

  const numbered = (number: number) => {
    const payload = new Uint8Array(4);
    writeU32(payload, 0, number);
    return payload;
  };

  /** Numbered packets both ways for every subscriber, and what has come of them. */
  class Flow {
    readonly down = Array.from({ length: SUBSCRIBERS }, (): number[] => []);
    readonly up = new Map<string, number[]>();
    sent = 0;
    #framesRead = 0;
    #packetsRead = 0;
    readonly #port: number;

    constructor(port: number) {
      this.#port = port;
    }

    read(): number {
      for (; this.#framesRead < rig.frames.length; this.#framesRead += 1) {
        const { sessionId, ppp } = readPppoe(rig.frames[this.#framesRead]!);
        this.down[sessionId - FIRST_ID]!.push(readU32(ppp, 2 + IP_UDP_BYTES));
      }
      for (; this.#packetsRead < rig.hostReceived.length; this.#packetsRead += 1) {
        const { from, payload } = rig.hostReceived[this.#packetsRead]!;
        const numbers = this.up.get(from) ?? [];
        this.up.set(from, numbers);
        numbers.push(readU32(payload, 0));
      }
      return Math.min(this.#framesRead, this.#packetsRead);
    }

    /** One packet each way for every subscriber, so many times, while not too many are on their way. */
    async go(rounds: number): Promise<void> {
      for (let round = 0; round < rounds; round++) {
        const number = this.sent / SUBSCRIBERS;
        for (let i = 0; i < SUBSCRIBERS; i++) {
          rig.hostSend(addressOf(i), numbered(number));
          const packet = udpPacket(addressOf(i), rig.unitAddress, 4000, this.#port, numbered(number));
          rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, FIRST_ID + i, ipv4Frame(packet)));
        }
        this.sent += SUBSCRIBERS;
        await rig.until("what was sent arrives", () => this.sent - this.read() < IN_FLIGHT);
      }
    }

    async end(): Promise<void> {
      await rig.until("the last packets", () => this.read() === this.sent);
    }
  }

  it.skipIf(!steered)(
    "has one for each lane, and threads become more and fewer: nothing is lost, and sessions stay in order",
    async () => {
      rig = await loopRig({ lanes: 4 });
      const { dataplane, loop } = rig;
      const unit = await subscribers();
      expect(dataplane.unitQueues?.(unit)).toEqual({ count: 4 });
      const flow = new Flow(await rig.openHost());
      for (const workers of [4, 2, 1, 3, 4]) {
        // while what was sent before is on its way
        await Promise.all([loop.setWorkers(workers), flow.go(40)]);
        await flow.go(20);
      }
      await flow.end();
      const all = Array.from({ length: flow.sent / SUBSCRIBERS }, (_, i) => i);
      expect(flow.down).toEqual(flow.down.map(() => all));
      expect([...flow.up.values()]).toEqual(flow.down.map(() => all));
      expect(Object.values(dataplane.drops()).every((count) => count === 0)).toBe(true);
      expect(droppedBy(rig.unitName)).toBe(0);
    },
  );

  /** What the device's queues had no room for. */
  function droppedBy(name: string): number {
    const text = execFileSync("ip", ["-s", "-json", "link", "show", name], { encoding: "utf8" });
    return JSON.parse(text)[0].stats64.tx.dropped;
  }

  it("is told as gone once, and leaves no queue open", async () => {
    rig = await loopRig({ lanes: 4, workers: 2 });
    const unit = await subscribers();
    ip("link", "del", rig.unitName);
    await rig.until("the report", () => rig.punts.length > 0);
    const { dataplane } = rig;
    // a change of threads hands every lane over: none of them reports anything again
    await rig.loop.setWorkers(4);
    expect(rig.punts).toEqual([expect.objectContaining({ kind: "unit-down", unit })]);
    expect(Object.values(dataplane.drops()).every((count) => count === 0)).toBe(true);
  });

  it("is several only when it is shared", async () => {
    rig = await loopRig({ lanes: 4 });
    const spec = { name: rig.unitName, mtuBytes: 1400, addresses: [], routes: [], shared: false };
    const unit = await rig.dataplane.createUnit(spec);
    expect(rig.dataplane.unitQueues?.(unit)).toEqual({ count: 1 });
  });
});
