/**
 * What the gateways and Debian's peers meet on. On the left, namespaces of the VM; on the right, of this machine.
 *
 *     cpe     eth0 -------------- acc0  lac  core0 ---+
 *     isp     eth1 10.9.1.2 ----- peer0 (10.9.1.1)    | 10.9.0.1
 *                                                     | 10.9.0.2
 *     client  eth2 10.9.2.2 ----- peer0 lns  core0 ---+
 *                                 (10.9.2.1)
 */

import { connect, Netns } from "../support/netns.ts";
import { PeerVm } from "../support/peer-vm.ts";

const LAC_CORE = "10.9.0.1";
export const LNS_CORE = "10.9.0.2";
/** Where the VM's xl2tpd answers as an LNS. */
export const DEBIAN_LNS = "10.9.1.2";
/** Where the VM's xl2tpd finds our LNS, and calls from. */
export const LNS_FOR_DEBIAN = "10.9.2.1";
export const DEBIAN_CLIENT = "10.9.2.2";

export class PeerNetwork {
  readonly vm: PeerVm;
  readonly lac: Netns;
  readonly lns: Netns;

  private constructor(vm: PeerVm, lac: Netns, lns: Netns) {
    this.vm = vm;
    this.lac = lac;
    this.lns = lns;
  }

  static async create(): Promise<PeerNetwork> {
    const lac = Netns.create("lac");
    const lns = Netns.create("lns");
    connect(lac, "core0", lns, "core0");
    lac.configure("core0", `${LAC_CORE}/24`);
    lns.configure("core0", `${LNS_CORE}/24`);
    const vm = await PeerVm.boot({
      nics: [
        { netns: lac.name, ifname: "acc0" },
        { netns: lac.name, ifname: "peer0" },
        { netns: lns.name, ifname: "peer0" },
      ],
    });
    lac.configure("peer0", "10.9.1.1/24");
    lns.configure("peer0", `${LNS_FOR_DEBIAN}/24`);
    await vm.mustRun(["bash", "-ec", GUEST_NAMESPACES]);
    return new PeerNetwork(vm, lac, lns);
  }

  async close(): Promise<void> {
    await this.vm.shutdown();
    this.lac.delete();
    this.lns.delete();
  }
}

const GUEST_NAMESPACES = `
place() { # NETNS DEVICE [ADDRESS]
  ip netns add $1
  ip link set $2 netns $1
  ip -n $1 link set lo up
  [ -z "$3" ] || ip -n $1 address add $3 dev $2
  ip -n $1 link set $2 up
}
place cpe eth0
place isp eth1 ${DEBIAN_LNS}/24
place client eth2 ${DEBIAN_CLIENT}/24
`;
