/**
 * Where the commands of docs/ are run: the LAC and the LNS of deploy/lac.yaml and deploy/lns.yaml. There is a second LNS, lns2,
 * whose tunnel secret is not the LAC's. alice and bob call; alice is online, and bob is not, since he belongs to lns2. The shell is
 * the LAC's, with its files where the package has them.
 */

import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SessionView } from "../../../src/gateway/views.ts";
import { DialProcess } from "../../support/dial-process.ts";
import { GatewayProcess } from "../../support/gateway-process.ts";
import { connect, type Netns } from "../../support/netns.ts";
import { connectAccess, quietNetns } from "../../support/site.ts";
import { Shell } from "./shell.ts";

const PASSWORD = "alice in wonderland";
const ALICE = "alice@isp.example";
const BOB = "bob@home.example";
/** What deploy/lns.yaml calls itself inside its subscribers' PPP. */
const LNS_INSIDE = "100.64.0.1";
const SECRET = "a secret of sixteen octets";

const FILES = {
  lac: { "lns1.secret": `${SECRET}\n`, "lns2.secret": "not what lns2 has as its secret\n" },
  lns: {
    "lac1.secret": `${SECRET}\n`,
    "users.yaml": `- { name: ${ALICE}, password: ${PASSWORD} }\n`,
  },
};

/** A sample configuration with lines put in before another one. */
function sample(name: string, before: string, ...lines: readonly string[]): string {
  const text = readFileSync(new URL(`../../../deploy/${name}`, import.meta.url), "utf8");
  if (!text.includes(`\n${before}`)) throw new Error(`${name} has no line ${before}`);
  return text.replace(`\n${before}`, `\n${[...lines, before].join("\n")}`);
}

/** Alice's session and tunnel in documentation; as long as real ones are. */
const SESSION = "s7";
const TUNNEL = "34711";

function renamed(text: string, from: string, to: string): string {
  return text.replaceAll(new RegExp(`(?<![\\w.:])${from}\\b`, "g"), to);
}

export class Scene {
  readonly #places: readonly Netns[];
  readonly #folder: string;
  #lac: GatewayProcess | undefined;
  #lns: GatewayProcess | undefined;
  #shell: Shell | undefined;
  #alice: DialProcess | undefined;
  #ping: ChildProcess | undefined;
  /** As they are, and as documentation has them. */
  #ids: readonly (readonly [string, string])[] = [];

  private constructor() {
    this.#places = ["sub", "lac", "lns"].map(quietNetns);
    this.#folder = mkdtempSync(join(tmpdir(), "lacewing-docs-"));
  }

  static async set(): Promise<Scene> {
    const scene = new Scene();
    try {
      await scene.#set();
    } catch (error) {
      await scene.close();
      throw error;
    }
    return scene;
  }

  async #set(): Promise<void> {
    const [subscriber, lac, lns] = this.#places as [Netns, Netns, Netns];
    connectAccess(subscriber, lac);
    connect(lac, "core0", lns, "core0");
    lac.configure("core0", "10.0.0.2/24");
    lns.configure("core0", "10.0.0.11/24", "10.0.0.12/24");
    const peer = ["    - name: lns2", "      address: 10.0.0.12", "      secret-file: lns2.secret"];
    const lacConfig = sample("lac.yaml", "realms:", ...peer, "").replace(
      "\nrealms:\n",
      "\nrealms:\n  home.example: { lns: lns2 }\n",
    );
    const lnsConfig = sample("lns.yaml", "  peers:", "    - address: 10.0.0.12");
    [this.#lac, this.#lns] = await Promise.all([
      GatewayProcess.start(lac, lacConfig, FILES.lac),
      GatewayProcess.start(lns, lnsConfig, FILES.lns),
    ]);
    this.#shell = new Shell(lac, this.#folder);
    await this.#shell.moveIn(dirname(this.#lac.socket));
    await this.#failedCall();
    await this.ready();
  }

  /** Alice is online, also when somebody has ended her session. */
  async ready(): Promise<void> {
    if (this.#alice === undefined || (await this.#session()) === undefined) await this.#call();
    const { id, onward } = await this.#lac!.session(ALICE);
    this.#ids = [
      [id, SESSION],
      [String(onward?.localTunnelId), TUNNEL],
    ];
  }

  /** What the shell says. Documentation cannot know what ids are given: alice's are always the same in it. */
  async run(command: string): Promise<string> {
    const real = this.#ids.reduce((text, [id, known]) => renamed(text, known, id), command);
    return this.#ids.reduce((text, [id, known]) => renamed(text, id, known), await this.#shell!.run(real));
  }

  async #session(): Promise<SessionView | undefined> {
    return (await this.#lac!.show("sessions")).find(({ user }) => user === ALICE);
  }

  /** She pings the LNS five times a second, on a device of her own. */
  async #call(): Promise<void> {
    const [subscriber] = this.#places as [Netns];
    this.#ping?.kill();
    await this.#alice?.kill();
    this.#alice = new DialProcess(subscriber, { user: ALICE, password: PASSWORD, device: "each" });
    const { device } = await this.#alice.up();
    subscriber.ip("route", "replace", `${LNS_INSIDE}/32`, "dev", device ?? "");
    this.#ping = subscriber.spawn(["ping", "-q", "-i", "0.2", LNS_INSIDE], { stdio: "ignore" });
  }

  /** His MAC address is alice's, who calls when he has gone. */
  async #failedCall(): Promise<void> {
    const bob = new DialProcess(this.#places[0]!, { user: BOB, password: PASSWORD });
    await bob.down();
    await bob.hangUp();
  }

  async close(): Promise<void> {
    await this.#shell?.close();
    this.#ping?.kill();
    await this.#alice?.kill();
    await this.#lac?.close();
    await this.#lns?.close();
    for (const place of this.#places) place.delete();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
