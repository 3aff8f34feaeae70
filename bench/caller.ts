import { Child } from "./child.ts";
import { PASSWORD } from "./dial.ts";
import type { LacAnswer, LacRequest } from "./lac.ts";
import type { LacCallNames } from "./lac-calls.ts";
import type { Place } from "./namespaces.ts";
import { compiled } from "./root.ts";
import type { Site } from "./site.ts";
import { USER } from "./terminator.ts";

const LAC = compiled("bench/lac");
const PATIENCE_MS = 120_000;

export type Called = Extract<LacAnswer, { kind: "called" }>;

/** The benchmark's LAC, which calls an LNS. */
export class Caller {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** At `address` in `place`. `tunnels`: its own choice when absent. */
  static async start(
    site: Site,
    place: Place,
    { address, lns, tunnels }: { readonly address: string; readonly lns: string; readonly tunnels?: number },
  ): Promise<Caller> {
    const words = [process.execPath, LAC, address, lns, USER, PASSWORD];
    if (tunnels !== undefined) words.push(`${tunnels}`);
    const caller = new Caller(site.run(new Child("the benchmark's LAC", place, words, { ipc: true })));
    await caller.#ask("ready");
    return caller;
  }

  /** Brings `count` more sessions up. */
  async call(count: number): Promise<Called> {
    const answer = await this.#ask("called", { kind: "call", count });
    if (answer.failed > 0) throw new Error(`${answer.failed} of ${count} calls did not come up`);
    return answer;
  }

  async hangUp(): Promise<void> {
    await this.#ask("hung-up", { kind: "hang-up" });
  }

  /** Of the calls that are up. */
  async names(): Promise<readonly LacCallNames[]> {
    return (await this.#ask("named", { kind: "names" })).calls;
  }

  async #ask<Kind extends LacAnswer["kind"]>(
    kind: Kind,
    request?: LacRequest,
  ): Promise<Extract<LacAnswer, { kind: Kind }>> {
    const answer = await this.#child.ask<LacAnswer>(request, PATIENCE_MS);
    if (answer.kind !== kind) throw new Error("the benchmark's LAC does not do what it was told");
    return answer as Extract<LacAnswer, { kind: Kind }>;
  }
}
