import { type Called, Caller } from "./caller.ts";
import type { GatewayChild } from "./gateway-child.ts";
import { LAC_ADDRESS, LNS_ADDRESS } from "./namespaces.ts";
import { Site } from "./site.ts";
import { startTerminator } from "./terminator.ts";

/** Lacewing as an LNS with one shared device, called by the benchmark's LAC. */
export class LnsStage {
  readonly lns: GatewayChild;
  readonly #site: Site;
  readonly #lac: Caller;

  private constructor(site: Site, lns: GatewayChild, lac: Caller) {
    this.#site = site;
    this.lns = lns;
    this.#lac = lac;
  }

  static open(): Promise<LnsStage> {
    return Site.open(async (site) => {
      const l2tp = { address: LNS_ADDRESS, lac: LAC_ADDRESS };
      const lns = await startTerminator(site, "the LNS", { place: "lns", l2tp });
      const lac = await Caller.start(site, "lac", { address: LAC_ADDRESS, lns: LNS_ADDRESS });
      return new LnsStage(site, lns, lac);
    });
  }

  /** Brings `count` more sessions up. */
  call(count: number): Promise<Called> {
    return this.#lac.call(count);
  }

  /** Ends all of them, and waits until the LNS has none. */
  async hangUp(): Promise<void> {
    await this.#lac.hangUp();
    await this.lns.untilSessions(0, 0);
  }

  close(): Promise<void> {
    return this.#site.close();
  }
}
