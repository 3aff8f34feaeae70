/** The gateway as its users run it: the built command, in a namespace of its own, with a configuration file. */

import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readResource } from "../../src/control/client.ts";
import type { ResourceName, Resources } from "../../src/control/resources.ts";
import type { SessionView } from "../../src/gateway/views.ts";
import { eventually } from "../support/eventually.ts";
import type { Netns } from "../support/netns.ts";

const COMMAND = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const STOP_TIMEOUT_MS = 5_000;

export class GatewayProcess {
  readonly #directory: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<number | null>;
  #log = "";

  private constructor(directory: string, child: ChildProcess) {
    this.#directory = directory;
    this.#process = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#log += text;
      });
    }
    this.#exited = new Promise((resolve) => child.once("exit", resolve));
  }

  /**
   * Runs the gateway in `netns` until it answers on its control socket. `config` is the configuration without `control`;
   * `secrets` are files beside it, that only their owner may read.
   */
  static async start(
    netns: Netns,
    config: string,
    secrets: Readonly<Record<string, string>>,
  ): Promise<GatewayProcess> {
    if (!existsSync(COMMAND)) throw new Error(`${COMMAND} is missing: npm run build makes it`);
    const directory = mkdtempSync(join(tmpdir(), "lacewing-interop-"));
    for (const [name, text] of Object.entries(secrets))
      writeFileSync(join(directory, name), text, { mode: 0o600 });
    const path = join(directory, "lacewing.yaml");
    writeFileSync(path, `control: { socket: ${directory}/socket }\n${config}`);
    const child = netns.spawn([process.execPath, COMMAND, "run", "-c", path], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const gateway = new GatewayProcess(directory, child);
    try {
      await eventually("the gateway answers", () => gateway.show("status"), {
        hopeless: () => (child.exitCode === null ? undefined : `its exit status is ${child.exitCode}`),
      });
    } catch (error) {
      await gateway.stop();
      throw new Error(`the gateway did not start:\n${gateway.#log}`, { cause: error });
    }
    return gateway;
  }

  /** What it has logged so far: one JSON object a line. */
  get log(): string {
    return this.#log;
  }

  show<Name extends ResourceName>(name: Name): Promise<Resources[Name]> {
    return readResource(join(this.#directory, "socket"), name);
  }

  /** The open session of a user; waits for it. */
  session(user: string): Promise<SessionView> {
    return eventually(`${user} has an open session`, async () =>
      (await this.show("sessions")).find((session) => session.user === user && session.state === "open"),
    );
  }

  /** Waits until there is no session any more. */
  async idle(options?: { timeoutMs: number }): Promise<void> {
    const none = async (): Promise<boolean> => (await this.show("sessions")).length === 0;
    await eventually("all sessions are gone", none, options);
  }

  /** Sends SIGTERM and returns the exit status; null when it had to be killed. */
  async stop(): Promise<number | null> {
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_TIMEOUT_MS);
    const status = await this.#exited;
    clearTimeout(timer);
    rmSync(this.#directory, { recursive: true, force: true });
    return status;
  }
}
