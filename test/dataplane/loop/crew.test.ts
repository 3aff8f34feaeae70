import { afterEach, describe, expect, it } from "vitest";
import type { DropReason, WorkerFigures } from "../../../src/channel/dataplane.ts";
import { numberedFrame, pppoeFrame } from "../frames.ts";
import { subscriberPeer } from "../rig.ts";
import { isOpen, replaceByFile, unitPollers } from "./thread-faults.ts";

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("forwarding threads (root)", async () => {
  if (!isRoot) return;
  const { ip, loopRig, makeCable } = await import("./rig.ts");
  const { SteadyTraffic } = await import("./steady-traffic.ts");
  let rig: Awaited<ReturnType<typeof loopRig>>;

  afterEach(() => rig.close());

  const figures = async () => (await rig.loop.workerFigures?.()) ?? [];
  const sumOf = (all: readonly WorkerFigures[], of: (each: WorkerFigures) => number) =>
    all.reduce((sum, each) => sum + of(each), 0);
  const unitSpec = (name: string) => ({ name, mtuBytes: 1400, addresses: [], routes: [], shared: false });

  it("become more and fewer under traffic: nothing is lost, and sessions stay in order", async () => {
    rig = await loopRig({ lanes: 4 });
    const { dataplane, loop } = rig;
    const traffic = await SteadyTraffic.start(rig);
    await traffic.flow(500);
    for (const workers of [3, 1, 2, 4, 1]) {
      await loop.setWorkers(workers);
      expect(loop.workers).toBe(workers);
      await traffic.flow(500);
    }
    await traffic.stop();
    await rig.until("the last frames", () => traffic.arrived === traffic.sent);
    expect(traffic.faults()).toEqual([]);
    expect(Object.values(dataplane.drops()).every((count) => count === 0)).toBe(true);
    expect(rig.punts).toEqual([]);
    const threads = (await figures()).filter(({ worker }) => worker !== "control");
    expect(threads.map(({ worker, running }) => [worker, running])).toEqual([
      [0, true],
      [1, false],
      [2, false],
      [3, false],
    ]);
    // those that have gone keep what they had
    for (const { frames } of threads) expect(frames).toBeGreaterThan(0);
    expect(sumOf(threads, ({ frames }) => frames)).toBe(traffic.sent);
  });

  it("count each for itself what is dropped and what goes to the control plane", async () => {
    rig = await loopRig({ workers: 2, lanes: 4 });
    const { dataplane, loop } = rig;
    const peer = dataplane.addPeer(subscriberPeer(rig, rig.gatewayMac));
    const ids = [1, 2, 3, 4];
    for (const sessionId of ids) dataplane.addChannel({ kind: "pppoe", peer, sessionId });
    const send = (session: number) =>
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, rig.gatewayMac, session, numberedFrame(1, 1)));
    for (const id of [...ids, 5, 6, 7, 8]) send(id);
    const framesPunted = () => rig.punts.filter(({ kind }) => kind === "frame").length;
    await rig.until("punts and drops", () => {
      return rig.punts.length === 8 && dataplane.drops()["unknown-session"] === 4;
    });
    await loop.setWorkers(1);
    await loop.setWorkers(2);
    for (const id of ids) send(id);
    await rig.until("more punts", () => framesPunted() === 8);
    const all = await figures();
    expect(all.map(({ engine, worker, deaths }) => [engine, worker, deaths])).toEqual([
      ["loop", 0, 0],
      ["loop", 1, 0],
      ["loop", "control", 0],
    ]);
    expect(sumOf(all, ({ frames }) => frames)).toBe(12);
    expect(sumOf(all, ({ punts }) => punts)).toBe(12);
    for (const { frames, punts } of all.slice(0, 2)) expect([frames, punts]).not.toContain(0);
    for (const [reason, count] of Object.entries(dataplane.drops()))
      expect(
        sumOf(all, ({ drops }) => drops[reason as DropReason]),
        reason,
      ).toBe(count);
  });

  it("become more and fewer while ports and units come and go", async () => {
    rig = await loopRig({ lanes: 4 });
    const { dataplane, loop } = rig;
    const traffic = await SteadyTraffic.start(rig);
    const address = rig.remotes[0].replace(/\.2$/, ".1");
    const changes = [2, 4, 1, 3].map((workers) => loop.setWorkers(workers));
    for (let i = 0; i < 6; i++) {
      const port = dataplane.openPort({ kind: "udp", address, udpPort: rig.tunnelUdpPort + 1 });
      const unit = dataplane.createUnit(unitSpec(rig.unitName));
      await dataplane.closePort(await port);
      await dataplane.closeUnit(await unit);
    }
    await Promise.all(changes);
    await traffic.flow(500);
    await traffic.stop();
    await rig.until("the last frames", () => traffic.arrived === traffic.sent);
    expect(traffic.faults()).toEqual([]);
  });

  it("become more and fewer while devices disappear: others lose nothing, and each end is told once", async () => {
    rig = await loopRig({ lanes: 4 });
    const { dataplane, loop } = rig;
    const traffic = await SteadyTraffic.start(rig);
    let devices = 0;
    for (const workers of [3, 1, 4, 2, 1]) {
      const cable = makeCable();
      const { name, ifindex } = cable.gateway;
      const changing = loop.setWorkers(workers);
      const port = await dataplane.openPort({ kind: "ethernet", name, ifindex, mtuBytes: 1500 });
      const unit = await dataplane.createUnit(unitSpec(`${rig.unitName}${workers}`));
      const again = loop.setWorkers(5 - workers);
      cable.remove();
      ip("link", "del", `${rig.unitName}${workers}`);
      await Promise.all([changing, again]);
      devices += 2;
      await rig.until("both reports", () => rig.punts.length === devices);
      expect(rig.punts.slice(-2)).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ kind: "port-down", port }),
          expect.objectContaining({ kind: "unit-down", unit }),
        ]),
      );
      await dataplane.closePort(port);
      await dataplane.closeUnit(unit);
    }
    await traffic.flow(500);
    await traffic.stop();
    await rig.until("the last frames", () => traffic.arrived === traffic.sent);
    expect(traffic.faults()).toEqual([]);
    expect(rig.punts).toHaveLength(devices);
  });

  it("that die have successors under traffic, and it is said", async () => {
    rig = await loopRig({ workers: 2, lanes: 4 });
    const { dataplane } = rig;
    // by its queue a unit shows what its thread blocks in
    await dataplane.createUnit(unitSpec(rig.unitName));
    const traffic = await SteadyTraffic.start(rig);
    for (let deaths = 1; deaths <= 2; deaths++) {
      await traffic.flow(500);
      replaceByFile(unitPollers()[0]!);
      await rig.until("the report", () => rig.punts.length === deaths);
      expect(rig.punts.at(-1)).toEqual({
        kind: "worker-restarted",
        reason: expect.stringMatching(/thread [01]: epoll_wait/),
      });
      traffic.forgive = traffic.sent - traffic.arrived;
      await traffic.flow(500);
    }
    await traffic.stop();
    expect(traffic.faults({ lossAllowed: true })).toEqual([]);
    const all = await figures();
    expect(sumOf(all, ({ deaths }) => deaths)).toBe(2);
    expect(all.every(({ running }) => running)).toBe(true);
    expect(sumOf(all, ({ frames }) => frames)).toBeGreaterThanOrEqual(traffic.arrived);
    // what is opened later is served by all of them
    await dataplane.createUnit(unitSpec(`${rig.unitName}b`));
    expect(unitPollers()).toHaveLength(2);
  });

  it("that die while something is opened serve it nevertheless", async () => {
    rig = await loopRig({ workers: 2, lanes: 2 });
    const { dataplane, loop } = rig;
    await dataplane.createUnit(unitSpec(rig.unitName));
    const traffic = await SteadyTraffic.start(rig);
    const poller = unitPollers()[0]!;
    replaceByFile(poller);
    // whichever thread it is, it wakes up, and finds that it cannot wait any more; we have not heard of it then
    for (const session of [2, 3])
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, rig.gatewayMac, session, numberedFrame(1, 1)));
    while (isOpen(poller));
    const units = Array.from({ length: 8 }, (_, i) => dataplane.createUnit(unitSpec(`${rig.unitName}${i}`)));
    await Promise.all(units);
    await rig.until("the report", () => rig.punts.some(({ kind }) => kind === "worker-restarted"));
    expect(unitPollers()).toHaveLength(2);
    await loop.setWorkers(1);
    traffic.forgive = traffic.sent - traffic.arrived;
    await traffic.flow(500);
    await traffic.stop();
  });

  it("are as many as the lanes of a port at the most", async () => {
    rig = await loopRig({ lanes: 2 });
    const { loop } = rig;
    expect(loop.mostWorkers).toBe(2);
    for (const workers of [0, 3, 1.5])
      await expect(loop.setWorkers(workers)).rejects.toMatchObject({ code: "bad-spec" });
    expect(loop.workers).toBe(1);
  });
});
