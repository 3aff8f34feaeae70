import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "./child.ts";
import type { GatewayChild } from "./gateway-child.ts";
import type { LacAnswer, LacRequest } from "./lac.ts";
import { LAC_ADDRESS, LNS_ADDRESS, TUNNEL_SECRET } from "./namespaces.ts";
import { compiled } from "./root.ts";
import { Site } from "./site.ts";

const LAC = compiled("bench/lac");
const USER = "bench@bench";
const PASSWORD = "bench";
const PATIENCE_MS = 120_000;

export type Called = Extract<LacAnswer, { kind: "called" }>;

/** Lacewing as an LNS with one shared device, called by the benchmark's LAC. */
export class LnsStage {
  readonly lns: GatewayChild;
  readonly #site: Site;
  readonly #lac: Child;

  private constructor(site: Site, lns: GatewayChild, lac: Child) {
    this.#site = site;
    this.lns = lns;
    this.#lac = lac;
  }

  static open(): Promise<LnsStage> {
    return Site.open(async (site) => {
      const user = `- { name: "${USER}", password: "${PASSWORD}" }\n`;
      writeFileSync(join(site.directory, "users.yaml"), user, { mode: 0o600 });
      const lns = await site.gateway("the LNS", "lns", LNS_CONFIG);
      const words = [process.execPath, LAC, LAC_ADDRESS, LNS_ADDRESS, USER, PASSWORD];
      const lac = site.run(new Child("the benchmark's LAC", "lac", words, { ipc: true }));
      await lac.ask(undefined, PATIENCE_MS);
      return new LnsStage(site, lns, lac);
    });
  }

  /** Brings `count` more sessions up. */
  async call(count: number): Promise<Called> {
    const answer = await this.#ask({ kind: "call", count });
    if (answer.kind !== "called") throw new Error("the benchmark's LAC does not do what it was told");
    if (answer.failed > 0) throw new Error(`${answer.failed} of ${count} calls did not come up`);
    return answer;
  }

  /** Ends all of them, and waits until the LNS has none. */
  async hangUp(): Promise<void> {
    await this.#ask({ kind: "hang-up" });
    await this.lns.untilSessions(0, 0);
  }

  close(): Promise<void> {
    return this.#site.close();
  }

  #ask(request: LacRequest): Promise<LacAnswer> {
    return this.#lac.ask<LacAnswer>(request, PATIENCE_MS);
  }
}

/** HELLO and echo run as they do by default. */
const LNS_CONFIG = `name: bench-lns
l2tp:
  listen: [{ address: ${LNS_ADDRESS} }]
  peers:
    - { name: lac, address: ${LAC_ADDRESS}, role: lac, secret: ${TUNNEL_SECRET} }
realms:
  bench: { terminate: subscribers }
units:
  subscribers:
    mode: shared
    name: subscribers
    address: 100.64.0.1
    pool: 100.64.0.0/14
users-file: users.yaml
`;
