/** Debian's pppd and xl2tpd in the VM, as subscriber, as LNS and as L2TP client. */

import type { Netns } from "../support/netns.ts";
import type { PeerJob } from "../support/peer-job.ts";
import type { PeerVm } from "../support/peer-vm.ts";

export type Authentication = "pap" | "chap";

/** The guest's namespaces (peer-network.ts). */
type GuestNetns = "cpe" | "isp" | "client";

/** pppd's exit statuses (pppd(8)). */
export const PPPD_TERMINATED_BY_SIGNAL = 5;
export const PPPD_PEER_ENDED = 16;
export const PPPD_WE_FAILED_TO_AUTHENTICATE = 19;

/** Writes the secrets that every pppd of the VM shares, for both ways of authentication. */
export async function giveSecrets(vm: PeerVm, passwords: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(passwords).map(([user, password]) => `"${user}" * "${password}" *\n`);
  const path = vm.write("ppp-secrets", lines.join(""));
  await vm.mustRun(["bash", "-ec", `for kind in pap chap; do cp ${path} /etc/ppp/$kind-secrets; done`]);
}

/** Calls by PPPoE as `user`; the method is the only one that the client agrees to. */
export function callByPppoe(vm: PeerVm, user: string, method: Authentication): PeerJob {
  const refused = method === "pap" ? ["refuse-chap"] : ["refuse-pap"];
  const options = ["noauth", "noipdefault", "usepeerdns", "nodetach", "debug", "noipv6", "maxfail", "1"];
  return vm.spawn([
    ...[
      "ip",
      "netns",
      "exec",
      "cpe",
      "pppd",
      "plugin",
      "rp-pppoe.so",
      "nic-eth0",
      "user",
      user,
      "mtu",
      "1492",
      "mru",
      "1492",
    ],
    ...[
      "linkname",
      "cpe",
      "refuse-mschap",
      "refuse-mschap-v2",
      "refuse-eap",
      "lcp-echo-interval",
      "10",
      "lcp-echo-failure",
      "3",
    ],
    ...options,
    ...refused,
  ]);
}

/** The addresses of a link once pppd has them: its own and the other end's. */
export async function addresses(pppd: PeerJob): Promise<{ local: string; remote: string }> {
  const match = await pppd.waitFor(/local +IP address (\S+)\n(?:.*\n)*?remote IP address (\S+)/);
  return { local: match[1]!, remote: match[2]! };
}

/** Packets of `bytes` octets, IP header included, that must not be fragmented on the way: all must come back. */
export async function pingFromGuest(
  vm: PeerVm,
  netns: GuestNetns,
  address: string,
  bytes: number,
): Promise<void> {
  await vm.mustRun(["ip", "netns", "exec", netns, ...pingCommand(address, bytes)]);
}

export function pingFrom(netns: Netns, address: string, bytes: number): void {
  netns.run(...pingCommand(address, bytes));
}

function pingCommand(address: string, bytes: number): string[] {
  const payload = bytes - 28; // headers of IPv4 and ICMP
  return ["ping", "-q", "-c", "3", "-i", "0.2", "-w", "10", "-M", "do", "-s", `${payload}`, address];
}

/** xl2tpd in the foreground; its log and its pppd's are the job's output. */
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
  static lns(
    vm: PeerVm,
    lns: { address: string; secret: string; local: string; pool: string },
  ): Promise<Xl2tpd> {
    const section = `[lns default]
ip range = ${lns.pool}
local ip = ${lns.local}
name = debian
hostname = debian
challenge = yes
length bit = yes
`;
    return Xl2tpd.#start(
      vm,
      "isp",
      lns.address,
      lns.secret,
      section,
      "auth\nrequire-chap\nmtu 1492\nmru 1492\nlinkname isp\n",
    );
  }

  /** Knows the LNS at `lns.address` and calls it when it is told to. */
  static client(
    vm: PeerVm,
    client: { address: string; secret: string; lns: string; user: string },
  ): Promise<Xl2tpd> {
    const section = `[lac lns]
lns = ${client.lns}
name = ${client.user}
hostname = debian-client
challenge = yes
length bit = yes
redial = no
`;
    const options = `user ${client.user}\nnoauth\nnoipdefault\nmtu 1492\nmru 1492\nlinkname client\n`;
    return Xl2tpd.#start(vm, "client", client.address, client.secret, section, options);
  }

  static async #start(
    vm: PeerVm,
    netns: GuestNetns,
    address: string,
    secret: string,
    section: string,
    pppd: string,
  ): Promise<Xl2tpd> {
    const options = vm.write(`${netns}.options`, `${pppd}debug\nnoipv6\nlogfile /tmp/${netns}/pppd.log\n`);
    const secrets = vm.write(`${netns}.l2tp-secrets`, `* * ${secret}\n`);
    const config = vm.write(
      `${netns}.conf`,
      `[global]
port = 1701
listen-addr = ${address}
auth file = ${secrets}
debug tunnel = yes
debug state = yes
${section}pppoptfile = ${options}
`,
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

  /** What its pppd says; a job that runs until it is killed. */
  pppdLog(): PeerJob {
    return this.#vm.spawn(["tail", "-n", "+1", "-F", `${this.#directory}/pppd.log`]);
  }

  async stop(): Promise<void> {
    await this.job.kill();
    await this.job.finish();
  }
}

/** Ends the pppd of that link name politely. */
export async function endPppd(vm: PeerVm, linkname: GuestNetns): Promise<void> {
  await vm.mustRun(["bash", "-ec", `kill "$(head -n 1 /run/ppp-${linkname}.pid)"`]);
}
