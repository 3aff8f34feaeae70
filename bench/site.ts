import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Child } from "./child.ts";
import { GatewayChild, type GatewaySettings } from "./gateway-child.ts";
import { createNetwork, destroyNetwork, type Network, type Place } from "./namespaces.ts";

/** The benchmark's networks with the processes in them and a directory for their files. One at a time. */
export class Site {
  readonly directory = mkdtempSync(join(tmpdir(), "lacewing-bench-"));
  readonly #children: Child[] = [];

  /** Makes it, and in it what `build` makes; leaves nothing behind when that fails. */
  static async open<Built>(
    build: (site: Site) => Promise<Built>,
    networks: readonly Network[] = ["own"],
  ): Promise<Built> {
    const site = new Site();
    process.once("exit", site.#removeFiles);
    try {
      for (const network of networks) createNetwork(network);
      return await build(site);
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  /** Is stopped by close(), if it still runs. */
  run(child: Child): Child {
    this.#children.push(child);
    return child;
  }

  /** One that was stopped. */
  forget(child: Child): void {
    const at = this.#children.indexOf(child);
    if (at >= 0) this.#children.splice(at, 1);
  }

  gateway(name: string, place: Place, config: string, settings?: GatewaySettings): Promise<GatewayChild> {
    return GatewayChild.start(name, place, this.directory, config, (child) => this.run(child), settings);
  }

  async close(): Promise<void> {
    // nobody needs to hear it: sixty thousand sessions would take ten seconds to hang up
    for (const child of this.#children.reverse()) await child.stop("SIGKILL");
    destroyNetwork();
    this.#removeFiles();
    process.off("exit", this.#removeFiles);
  }

  readonly #removeFiles = (): void => rmSync(this.directory, { recursive: true, force: true });
}
