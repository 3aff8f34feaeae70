/** The container image's steps in a debootstrapped root, since no container engine may be had; and the gateway in it. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import type { Netns } from "../support/netns.ts";
import {
  createSite,
  lacConfig,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
  TUNNEL_SECRET,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";
import { buildImage, type Image } from "./container-image.ts";

/** What a container is given: `cap_drop: [ALL]`, three capabilities, a device and a tmpfs, as in compose.yaml. */
const GIVEN = [
  ...["--capability=CAP_BPF,CAP_NET_ADMIN,CAP_NET_RAW", "--system-call-filter=bpf"],
  ...["--bind=/dev/net/tun", "--property=DeviceAllow=/dev/net/tun rwm"],
  "--tmpfs=/run/lacewing:uid=990,gid=990,mode=0750",
];

class Container {
  output = "";
  readonly #process: ChildProcess;
  readonly #image: Image;
  readonly #ended: Promise<void>;

  constructor(image: Image, netns: Netns) {
    this.#image = image;
    const options = ["--quiet", "--register=no", "--keep-unit", "--console=pipe", "--as-pid2"];
    const where = [
      `--network-namespace-path=${netns.path}`,
      "--directory",
      image.root,
      `--user=${image.user}`,
    ];
    const words = [...options, ...GIVEN, ...where, ...image.entrypoint, ...image.command];
    this.#process = spawn("setpriv", ["--pdeathsig", "KILL", "systemd-nspawn", ...words], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    this.#ended = new Promise((resolve) => this.#process.once("close", () => resolve()));
  }

  /** The gateway's process; undefined while there is none. */
  get gateway(): number | undefined {
    const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
    for (let pid = this.#process.pid; pid !== undefined; ) {
      const children = read(`/proc/${pid}/task/${pid}/children`)
        .split(" ")
        .filter((word) => word !== "")
        .map(Number);
      const node = children.find((child) => read(`/proc/${child}/cmdline`).includes("main.js"));
      if (node !== undefined) return node;
      pid = children[0];
    }
    return undefined;
  }

  /** Waits until the gateway says that it is ready. */
  async isReady(): Promise<void> {
    const hopeless = (): string | undefined => (this.#process.exitCode === null ? undefined : this.output);
    await eventually("it is ready", () => this.output.includes('"ready"'), { hopeless });
  }

  /** Runs a command beside the gateway, as its user; returns what it says and its status. */
  exec(words: readonly string[]): { readonly status: number | null; readonly output: string } {
    const inside = ["--target", String(this.gateway), "--mount", "--net", "--pid", "--ipc", "--uts"];
    const user = ["setpriv", "--reuid", this.#image.user, "--regid", this.#image.user, "--clear-groups"];
    const { status, stdout, stderr } = spawnSync("nsenter", [...inside, ...user, ...words], {
      encoding: "utf8",
      env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    });
    return { status, output: `${stdout}${stderr}` };
  }

  async close(): Promise<void> {
    const { gateway } = this;
    if (gateway !== undefined) process.kill(gateway, "SIGTERM");
    await this.#ended;
  }
}

describe.skipIf(!isRoot)("the container image", () => {
  let image: Image;
  let site: Site;
  let lns: GatewayProcess;

  beforeAll(async () => {
    image = buildImage();
    site = createSite();
    lns = await GatewayProcess.start(site.lns, lnsConfig(), secretFiles("anna@isp.example"));
  }, 1_200_000);

  afterAll(async () => {
    await lns?.close();
    site?.close();
    image?.remove();
  }, 60_000);

  it("has a user of its own, and nothing that builds", () => {
    expect(image.user).toBe("lacewing");
    for (const tool of ["usr/bin/g++", "usr/bin/clang", "usr/bin/make", "usr/local/bin/npm"])
      expect(existsSync(join(image.root, tool)), tool).toBe(false);
  });

  it.each(["loop", "xdp"])(
    "runs the gateway as that user, and carries a subscriber by %s",
    async (engine) => {
      const folder = join(image.root, "etc/lacewing");
      const files = {
        "lacewing.yaml": `data-plane: { engine: ${engine} }\n${lacConfig()}`,
        "tunnel.secret": `${TUNNEL_SECRET}\n`,
      };
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(join(folder, name), text, { mode: 0o600 });
        chownSync(join(folder, name), 990, 990);
      }
      const container = new Container(image, site.lac);
      try {
        await container.isReady();
        expect(container.output).not.toMatch(/"level":"(error|fatal)"/);
        const status = readFileSync(`/proc/${container.gateway}/status`, "utf8");
        expect(status).toMatch(/^Uid:\s+990\s+990\s+990\s+990$/m);
        expect(status).toMatch(/^CapEff:\s+0000008000003000$/m);
        expect(container.exec(image.healthcheck)).toMatchObject({
          status: 0,
          output: expect.stringContaining(engine),
        });
        const words = { user: "anna@isp.example", password: PASSWORD, device: "each" } as const;
        const { dial } = await DialProcess.online(site.subscriber, words);
        await lns.session("anna@isp.example");
        await dial.hangUp();
      } finally {
        await container.close();
      }
      expect(container.output).toContain('"stopped"');
    },
  );
});
