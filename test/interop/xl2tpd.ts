/** Debian's xl2tpd in the VM, as LNS and as L2TP client. */

import type { PeerJob } from "../support/peer-job.ts";
import type { PeerVm } from "../support/peer-vm.ts";
import type { GuestNetns } from "./debian-peers.ts";

interface Common {
  readonly netns?: GuestNetns;
  readonly address: string;
  readonly secret: string;
  /** It hides AVPs (RFC 2661 §4.3). */
  readonly hidden?: boolean;
  /** Further options of its pppds. */
  readonly pppd?: readonly string[];
}

export interface Xl2tpdLns extends Common {
  readonly local: string;
  readonly pool: string;
}

export interface Xl2tpdClient extends Common {
  readonly lns: string;
  readonly user: string;
  /** Without the kernel's L2TP: its pppds talk to it through terminals, and ask for all that pppd can do. */
  readonly userSpace?: boolean;
  /** As many tunnels to that LNS it knows, "lns1" and so on; one, "lns", when absent. */
  readonly tunnels?: number;
}

/** xl2tpd in the foreground; its log and its pppds' are the job's output. */
export class Xl2tpd {
  readonly job: PeerJob;
  readonly #vm: PeerVm;
  readonly #directory: string;

  private constructor(vm: PeerVm, directory: string, job: PeerJob) {
    this.#vm = vm;
    this.#directory = directory;
    this.job = job;
  }

  /** Answers calls at `address`, and gives callers addresses from `pool`. */
  static lns(vm: PeerVm, lns: Xl2tpdLns): Promise<Xl2tpd> {
    const section = `[lns default]
ip range = ${lns.pool}
local ip = ${lns.local}
name = debian
hostname = debian
challenge = yes
length bit = yes
`;
    const { pppd = ["require-chap"] } = lns;
    const options = ["auth", "mtu 1492", "mru 1492", "linkname isp", ...pppd];
    return Xl2tpd.#start(vm, lns.netns ?? "isp", lns, [section], options, []);
  }

  /** Knows the LNS at `lns` and calls it when it is told to. */
  static client(vm: PeerVm, client: Xl2tpdClient): Promise<Xl2tpd> {
    const { tunnels, pppd = [], userSpace = false } = client;
    const names = tunnels === undefined ? ["lns"] : Array.from({ length: tunnels }, (_, i) => `lns${i + 1}`);
    const sections = names.map(
      (name) => `[lac ${name}]
lns = ${client.lns}
name = ${client.user}
hostname = debian-client
challenge = yes
length bit = yes
redial = no
`,
    );
    const options = [`user ${client.user}`, "noauth", "noipdefault", "mtu 1492", "mru 1492", ...pppd];
    if (tunnels === undefined) options.push("linkname client");
    const global = userSpace ? ["force userspace = yes"] : [];
    return Xl2tpd.#start(vm, client.netns ?? "client", client, sections, options, global);
  }

  static async #start(
    vm: PeerVm,
    netns: GuestNetns,
    { address, secret, hidden = false }: Common,
    sections: readonly string[],
    pppd: readonly string[],
    global: readonly string[],
  ): Promise<Xl2tpd> {
    const ipv6 = pppd.includes("+ipv6") ? [] : ["noipv6"];
    const lines = [...pppd, ...ipv6, "debug", `logfile /tmp/${netns}/pppd.log`];
    const options = vm.write(`${netns}.options`, lines.map((line) => `${line}\n`).join(""));
    const secrets = vm.write(`${netns}.l2tp-secrets`, `* * ${secret}\n`);
    const common = `hidden bit = ${hidden ? "yes" : "no"}\npppoptfile = ${options}\n`;
    const config = vm.write(
      `${netns}.conf`,
      `[global]
port = 1701
listen-addr = ${address}
auth file = ${secrets}
debug tunnel = yes
debug state = yes
${global.map((line) => `${line}\n`).join("")}${sections.map((section) => `${section}${common}`).join("")}`,
    );
    const directory = `/tmp/${netns}`;
    await vm.mustRun(["bash", "-ec", `rm -rf ${directory}; mkdir ${directory}`]);
    const files = ["-c", config, "-s", secrets, "-p", `${directory}/pid`, "-C", `${directory}/control`];
    const job = vm.spawn(["ip", "netns", "exec", netns, "xl2tpd", "-D", ...files]);
    await job.waitFor(/Listening on IP address/);
    return new Xl2tpd(vm, directory, job);
  }

  /** "c lns" calls the LNS, "d lns" ends its tunnel. */
  async control(command: string): Promise<void> {
    await this.#vm.mustRun(["bash", "-c", `echo '${command}' >${this.#directory}/control`]);
  }

  /** What its pppds say; a job that runs until it is killed. */
  pppdLog(): PeerJob {
    return this.#vm.spawn(["tail", "-n", "+1", "-F", `${this.#directory}/pppd.log`]);
  }

  async stop(): Promise<void> {
    await this.job.kill();
    await this.job.finish();
  }
}
