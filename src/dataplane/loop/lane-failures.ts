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

interface Failure {
  readonly source: LaneSource;
  readonly errno: number;
}

/** What it means that a worker cannot receive from a lane: told once of each port or unit. */
export class LaneFailures {
  readonly #ports: ReadonlyMap<PortId, Failing>;
  readonly #units: ReadonlyMap<UnitId, Failing>;
  readonly #registry: Pick<Registry, "port">;
  readonly #devices: Pick<DeviceSetup, "hasLink">;
  readonly #punts: Pick<PuntDelivery, "deliver">;
  /** By ownerOf(): what is being opened, and has perhaps failed before all workers have it. */
  readonly #opening = new Map<string, Failure | undefined>();
  #closed = false;

  /** `ports` and `units`: those that are open. */
  constructor(
    ports: ReadonlyMap<PortId, Failing>,
    units: ReadonlyMap<UnitId, Failing>,
    registry: Pick<Registry, "port">,
    devices: Pick<DeviceSetup, "hasLink">,
    punts: Pick<PuntDelivery, "deliver">,
  ) {
    this.#ports = ports;
    this.#units = units;
    this.#registry = registry;
    this.#devices = devices;
    this.#punts = punts;
  }

  /**
   * A port or unit is being opened. What of it fails meanwhile is told when who opens it knows that it is open, and never
   * when it could not be opened: its id may be another one's by then.
   */
  async whileOpening<Result>(owner: LaneOwner, opening: Promise<Result>): Promise<Result> {
    const key = ownerOf(owner);
    this.#opening.set(key, undefined);
    try {
      const opened = await opening;
      const failure = this.#opening.get(key);
      if (failure !== undefined) setImmediate(() => this.report(failure.source, failure.errno));
      return opened;
    } finally {
      this.#opening.delete(key);
    }
  }

  /** Its device is down, which passes, or gone. */
  report(source: LaneSource, errno: number): void {
    if (this.#closed) return;
    const key = ownerOf(source);
    if (this.#opening.has(key)) this.#opening.set(key, { source, errno });
    else if (source.medium === "unit") this.#unitFailed(source.unit, errno);
    else this.#portFailed(source.port, errno);
  }

  /** Nothing is told any more. */
  close(): void {
    this.#closed = true;
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

type LaneOwner = { readonly port: PortId } | { readonly unit: UnitId };

function ownerOf(owner: LaneOwner): string {
  return "unit" in owner ? `unit ${owner.unit}` : `port ${owner.port}`;
}

/** Marks it. False when it was marked, or has been closed. */
function isFirst(open: Failing | undefined): boolean {
  if (open === undefined || open.failed) return false;
  open.failed = true;
  return true;
}
