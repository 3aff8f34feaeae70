import type { Child } from "./child.ts";
import type { Load } from "./frames-tool.ts";
import type { Network } from "./namespaces.ts";
import { type Ceiling, type LacSettings, Stage } from "./stage.ts";
import type { TrafficReport } from "./traffic-report.ts";

/** Who carries frames: our LAC, a program in its place that shows what bounds it, or a rival. */
export type Carrier = "lac" | "l2tpns" | Ceiling;

/** Sessions of the first LNS that loads of one size go through. */
const SESSIONS_OF_ONE = 100;
const RIVALS_SESSIONS = 20;

interface TrafficSettings extends LacSettings {
  readonly sessions: number;
  /** Who is measured beside it: networks of the same form. */
  readonly beside: readonly Exclude<Network, "own">[];
  /** While the sessions come up. */
  readonly meanwhile?: (stage: Stage) => Promise<void>;
}

/** A stage with its sessions, and with those that it is compared with. */
export class TrafficStage {
  readonly stage: Stage;
  /** Files of sessions: all of them, and those of one LNS. */
  readonly all: string;
  readonly one: string;
  readonly #rivals: string | undefined;
  /** There is one, which goes on until the stage is closed. */
  #ceiling: Child | undefined;

  private constructor(stage: Stage, all: string, rivals: string | undefined) {
    this.stage = stage;
    this.all = all;
    let kept = 0;
    this.one = stage.someOf(all, "one", (line) => line.endsWith(" 0") && ++kept <= SESSIONS_OF_ONE);
    this.#rivals = rivals;
  }

  /** `ready` may refuse the stage by an exception. */
  static async open(
    { sessions, beside, meanwhile, ...settings }: TrafficSettings,
    ready: (stage: Stage) => Promise<void> = () => Promise.resolve(),
  ): Promise<TrafficStage> {
    const stage = await Stage.open({ ...settings, besideGenerator: true, networks: beside });
    try {
      await ready(stage);
      const all = await stage.prepareSessions(sessions, "spread", meanwhile);
      const rivals = beside.includes("rival") ? await stage.startL2tpns(RIVALS_SESSIONS) : undefined;
      return new TrafficStage(stage, all, rivals);
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** The first `count` sessions. */
  first(count: number): string {
    return this.stage.someOf(this.all, `first-${count}`, (_, place) => place < count);
  }

  /** Through the sessions in the file, or l2tpns's own. */
  async send(carrier: Carrier, sessions: string, load: Load): Promise<TrafficReport> {
    if (carrier === "lac") return this.stage.traffic(sessions, load);
    if (carrier === "l2tpns") return this.stage.l2tpns(this.#rivals ?? "", load);
    this.#ceiling ??= await this.stage.startCeiling(carrier, this.all);
    return this.stage.ceiling(
      this.#ceiling,
      sessions,
      carrier === "redirect" ? { ...load, role: "wire" } : load,
    );
  }

  close(): Promise<void> {
    return this.stage.close();
  }
}
