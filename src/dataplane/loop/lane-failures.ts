import type { PortId, UnitId } from "../../channel/dataplane.ts";
import type { Registry } from "../registry.ts";
import type { LaneSource } from "./messages.ts";
import type { PuntDelivery } from "./punt-delivery.ts";
import type { DeviceSetup } from "./unit-device.ts";

/** An open port or unit. */
export interface Failing {
  /** Has been reported as down for good. */
  failed: boolean;
}

/** What it means that a worker cannot receive from a lane: told once of each port or unit. */
export class LaneFailures {
  readonly #ports: ReadonlyMap<PortId, Failing>;
  readonly #units: ReadonlyMap<UnitId, Failing>;
  readonly #registry: Registry;
  readonly #devices: DeviceSetup;
  readonly #punts: PuntDelivery;

  /** `ports` and `units`: those that are open. */
  constructor(
    ports: ReadonlyMap<PortId, Failing>,
    units: ReadonlyMap<UnitId, Failing>,
    registry: Registry,
    devices: DeviceSetup,
    punts: PuntDelivery,
  ) {
    this.#ports = ports;
    this.#units = units;
    this.#registry = registry;
    this.#devices = devices;
    this.#punts = punts;
  }

  /** Its device is down, which passes, or gone. */
  report(source: LaneSource, errno: number): void {
    if (source.medium === "unit") this.#unitFailed(source.unit, errno);
    else this.#portFailed(source.port, errno);
  }

  #unitFailed(unit: UnitId, errno: number): void {
    if (isFirst(this.#units.get(unit)))
      this.#punts.deliver({ kind: "unit-down", unit, reason: `the device is gone (errno ${errno})` });
  }

  #portFailed(port: PortId, errno: number): void {
    const open = this.#ports.get(port);
    if (open === undefined) return;
    const { spec } = this.#registry.port(port);
    if (spec.kind === "ethernet" && this.#devices.hasLink(spec.ifindex)) return;
    const reason = spec.kind === "ethernet" ? `${spec.name} is gone` : `the socket failed (errno ${errno})`;
    if (isFirst(open)) this.#punts.deliver({ kind: "port-down", port, reason });
  }
}

/** Marks it. False when it was marked, or has been closed. */
function isFirst(open: Failing | undefined): boolean {
  if (open === undefined || open.failed) return false;
  open.failed = true;
  return true;
}
