import { beforeEach, describe, expect, it } from "vitest";
import type { Punt } from "../../../src/channel/dataplane.ts";
import { LaneFailures } from "../../../src/dataplane/loop/lane-failures.ts";
import { Registry } from "../../../src/dataplane/registry.ts";

const SIZES = { ports: 2, peers: 1, channels: 1, units: 1 };
const ENODEV = 19;
const EBADFD = 77;
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a lane that nothing can be received from", () => {
  let links: Set<number>;
  let told: Punt[];
  let ports: Map<number, { failed: boolean }>;
  let units: Map<number, { failed: boolean }>;
  let port: number;
  let failures: LaneFailures;

  beforeEach(() => {
    links = new Set([7]);
    told = [];
    ports = new Map();
    units = new Map([[1, { failed: false }]]);
    const registry = new Registry(SIZES);
    port = registry.addPort({ kind: "ethernet", ifindex: 7, name: "acc0", mtuBytes: 1500 });
    const devices = { hasLink: (ifindex: number) => links.has(ifindex) };
    failures = new LaneFailures(ports, units, registry, devices, { deliver: (punt) => told.push(punt) });
  });

  const access = () =>
    ({ medium: "ethernet", port, packet: {} }) as unknown as Parameters<typeof failures.report>[0];

  it("is its port's end when the interface is gone, and no news when it is only down", () => {
    ports.set(port, { failed: false });
    failures.report(access(), ENODEV);
    expect(told).toEqual([]);
    links.clear();
    failures.report(access(), ENODEV);
    failures.report(access(), ENODEV);
    expect(told).toEqual([{ kind: "port-down", port, reason: "acc0 is gone" }]);
  });

  it("is its unit's end, told once, and not when the unit is closed", () => {
    failures.report({ medium: "unit", unit: 1 }, EBADFD);
    failures.report({ medium: "unit", unit: 1 }, EBADFD);
    units.clear();
    failures.report({ medium: "unit", unit: 1 }, EBADFD);
    expect(told).toEqual([{ kind: "unit-down", unit: 1, reason: expect.stringContaining("77") }]);
  });

  it("of a port that other workers have yet to take is told when the port is open", async () => {
    links.clear();
    let open: () => void = () => {};
    const opening = failures.whileOpening({ port }, new Promise<void>((resolve) => (open = resolve)));
    failures.report(access(), ENODEV);
    open();
    await opening;
    ports.set(port, { failed: false });
    expect(told).toEqual([]);
    await turn();
    expect(told).toEqual([{ kind: "port-down", port, reason: "acc0 is gone" }]);
  });

  it("of a unit that could not be opened is not told", async () => {
    units.clear();
    const opening = failures.whileOpening({ unit: 1 }, Promise.reject(new Error("no room")));
    failures.report({ medium: "unit", unit: 1 }, EBADFD);
    await expect(opening).rejects.toThrow("no room");
    // another one gets its id at once
    units.set(1, { failed: false });
    await turn();
    expect(told).toEqual([]);
  });

  it("is not told after the end", async () => {
    const opening = failures.whileOpening({ unit: 1 }, Promise.resolve());
    failures.report({ medium: "unit", unit: 1 }, EBADFD);
    await opening;
    failures.close();
    await turn();
    expect(told).toEqual([]);
  });
});
