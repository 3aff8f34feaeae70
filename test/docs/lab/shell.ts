/** A shell as an operator has one: what is run in it follows what was run before. */

import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Netns } from "../../support/netns.ts";

const COMMAND = fileURLToPath(new URL("../../../dist/src/cli/main.js", import.meta.url));
/** What bash says of a command that is not there, or is none. */
const NOT_RUN = [126, 127];

export class Shell {
  readonly #bash: ChildProcess;
  readonly #ended: Promise<void>;
  #output = "";
  #gateway = "";
  /** Called when there is more output, or none will come. */
  #look: () => void = () => {};

  /** In a namespace; `folder` is where it begins, and gets a `bin` with the command in it, as if it were installed. */
  constructor(netns: Netns, folder: string) {
    const bin = join(folder, "lacewing");
    writeFileSync(bin, `#!/bin/sh\nexec ${process.execPath} ${COMMAND} "$@"\n`);
    chmodSync(bin, 0o755);
    this.#bash = netns.spawn(["bash", "--noprofile", "--norc"], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
      env: { PATH: `${folder}:${process.env.PATH}`, LC_ALL: "C.UTF-8", NO_COLOR: "1", HOME: folder },
    });
    this.#bash.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#look();
    });
    this.#ended = new Promise((resolve) =>
      this.#bash.once("close", () => {
        this.#look();
        resolve();
      }),
    );
  }

  /** The gateway itself knows its files by another name. */
  #asInstalled(text: string): string {
    if (this.#gateway === "") return text;
    return text
      .replaceAll(`${this.#gateway}/lacewing.sock`, "/run/lacewing/lacewing.sock")
      .replaceAll(this.#gateway, "/etc/lacewing");
  }

  /** What it says on both streams, without the end of its last line. */
  async run(command: string): Promise<string> {
    const mark = `end-${randomBytes(8).toString("hex")}`;
    this.#output = "";
    this.#bash.stdin!.write(`{ ${command}\n} </dev/null 2>&1; echo "${mark} $?"\n`);
    const end = new RegExp(`${mark} (\\d+)\n$`);
    await new Promise<void>((resolve, reject) => {
      this.#look = () => {
        if (end.test(this.#output)) resolve();
        else if (this.#bash.exitCode !== null) reject(new Error(`the shell has ended: ${command}`));
      };
    });
    const [, status] = end.exec(this.#output)!;
    const said = this.#asInstalled(this.#output.replace(end, "").trimEnd());
    if (NOT_RUN.includes(Number(status))) throw new Error(`${command}: ${said}`);
    return said;
  }

  /**
   * The folder of a gateway, with its configuration and its socket, is seen where the package has them, by this shell alone:
   * ip-netns(8) has given it a mount namespace.
   */
  async moveIn(gateway: string): Promise<void> {
    this.#gateway = gateway;
    const said = await this.run(
      [
        "set -e",
        "mkdir above work",
        `mount -t overlay overlay -o lowerdir=/etc,upperdir=$PWD/above,workdir=$PWD/work /etc`,
        "mkdir -p /etc/lacewing",
        `mount --bind ${gateway} /etc/lacewing`,
        "mount -t tmpfs none /run",
        "mkdir /run/lacewing",
        `mount --bind ${gateway} /run/lacewing`,
        "set +e",
      ].join("\n"),
    );
    if (said !== "") throw new Error(said);
  }

  async close(): Promise<void> {
    this.#bash.kill("SIGKILL");
    await this.#ended;
  }
}
