import type { ChannelId, Dataplane } from "../src/channel/dataplane.ts";

type Pair = readonly [ChannelId, ChannelId];

/** Between looks at the clock: what is due is begun at once. */
const TICK_MS = 2;

/** Makes bridges and undoes them at a rate, each as soon as it stands. */
export class Changes {
  readonly #dataplane: Pick<Dataplane, "bridge" | "unbridge">;
  readonly #idle: Pair[];
  readonly #pairs: number;
  #begun = 0;
  #made = 0;
  #timer: NodeJS.Timeout | undefined;
  #settled: () => void = () => {};

  /** `pairs`: punted channels of its own, and as many of them as changes that may be under way. */
  constructor(dataplane: Pick<Dataplane, "bridge" | "unbridge">, pairs: readonly Pair[]) {
    this.#dataplane = dataplane;
    this.#idle = [...pairs];
    this.#pairs = pairs.length;
  }

  /** A second. */
  begin(rate: number): void {
    this.#begun = 0;
    this.#made = 0;
    const since = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - since) * rate) / 1000;
      while (this.#begun < due) {
        const pair = this.#idle.pop();
        // so many are under way that more would only wait
        if (pair === undefined) return;
        this.#begun += 1;
        void this.#change(pair);
      }
    }, TICK_MS);
  }

  /** Resolves, when everything is as it was before, with how many were made and undone. */
  async end(): Promise<number> {
    clearInterval(this.#timer);
    if (this.#idle.length < this.#pairs)
      await new Promise<void>((resolve) => {
        this.#settled = resolve;
      });
    return this.#made;
  }

  async #change(pair: Pair): Promise<void> {
    await this.#dataplane.bridge(...pair);
    await this.#dataplane.unbridge(pair[0]);
    this.#made += 1;
    this.#idle.push(pair);
    if (this.#idle.length === this.#pairs) this.#settled();
  }
}
