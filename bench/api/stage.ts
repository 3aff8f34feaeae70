import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Child } from "../child.ts";
import { EMULATOR } from "../dial.ts";
import { othersProcessors } from "../frames-tool.ts";
import { compiled } from "../root.ts";
import { TrafficStage } from "../traffic-stage.ts";
import { answerOf } from "./answer-of.ts";
import { HABITS } from "./asked.ts";
import type { BareRequest } from "./bare-server.ts";
import type { CrowdAnswer, CrowdReport, CrowdRequest } from "./crowd.ts";
import type { ApiPlace, FixedAnswer } from "./places.ts";

const PORT = 9180;
const BARE_PORT = 9181;
const TOKEN = "a-token-of-the-benchmark";
const START_MS = 20_000;
const PATIENCE_MS = 30_000;

/** Who answers the crowd: the LAC itself, or a bare server beside it. */
export type Server = "lac" | "bare";

/**
 * A LAC with sessions, the crowd that wants something of its API, and a bare server that the crowd can turn to instead. All
 * three share the processors that the generator of frames leaves.
 */
export class ApiStage {
  readonly traffic: TrafficStage;
  readonly sessions: number;
  readonly #crowd: Child;
  readonly #bare: Child;
  readonly #places: Readonly<Record<Server, ApiPlace>>;

  private constructor(
    traffic: TrafficStage,
    sessions: number,
    crowd: Child,
    bare: Child,
    places: Readonly<Record<Server, ApiPlace>>,
  ) {
    this.traffic = traffic;
    this.sessions = sessions;
    this.#crowd = crowd;
    this.#bare = bare;
    this.#places = places;
  }

  static async open(sessions: number): Promise<ApiStage> {
    const traffic = await TrafficStage.open({
      sessions,
      beside: [],
      // on the second one sessions come and go
      accessDevices: 2,
      listen: (directory) => {
        writeFileSync(join(directory, "token"), TOKEN, { mode: 0o600 });
        return `{ address: 127.0.0.1, port: ${PORT}, token-file: token }`;
      },
    });
    try {
      const { site, lac } = traffic.stage;
      const places = {
        lac: { socket: lac.socket, port: PORT, token: TOKEN },
        bare: { socket: join(site.directory, "bare.sock"), port: BARE_PORT, token: TOKEN },
      };
      const processors = othersProcessors(availableParallelism());
      const start = async (name: string, script: string, ...words: readonly string[]): Promise<Child> => {
        const command = [process.execPath, ...EMULATOR, compiled(script), ...words];
        const child = site.run(new Child(name, "lac", command, { ipc: true, processors }));
        await child.ask(undefined, START_MS);
        return child;
      };
      const crowd = await start("the crowd", "bench/api/crowd");
      const bare = await start(
        "the bare server",
        "bench/api/bare-server",
        places.bare.socket,
        `${BARE_PORT}`,
        TOKEN,
      );
      const stage = new ApiStage(traffic, sessions, crowd, bare, places);
      await stage.#teachBare();
      return stage;
    } catch (error) {
      await traffic.close();
      throw error;
    }
  }

  /** The crowd turns to `server`, and goes on until dispersed. */
  async gather(server: Server): Promise<void> {
    await this.#askCrowd({ kind: "begin", place: this.#places[server] });
  }

  async disperse(): Promise<CrowdReport> {
    const answer = await this.#askCrowd({ kind: "end" });
    if (answer.kind !== "ended") throw new Error("the crowd does not do what it was told");
    return answer;
  }

  /** The bare server tells each listener so many octets of events in so long. */
  async tellByBare(octets: number, milliseconds: number): Promise<void> {
    const order: BareRequest = { kind: "tell", octets: Math.round(octets), milliseconds };
    await this.#bare.ask(order, PATIENCE_MS);
  }

  close(): Promise<void> {
    return this.traffic.close();
  }

  #askCrowd(order: CrowdRequest): Promise<CrowdAnswer> {
    return this.#crowd.ask<CrowdAnswer>(order, PATIENCE_MS);
  }

  /** What the LAC answers now the bare server answers for ever. */
  async #teachBare(): Promise<void> {
    const answers: Record<string, FixedAnswer> = {};
    for (const path of new Set(HABITS.map((habit) => habit.path)))
      answers[path] = await answerOf(this.#places.lac.socket, path);
    const order: BareRequest = { kind: "answers", answers };
    await this.#bare.ask(order, PATIENCE_MS);
  }
}
