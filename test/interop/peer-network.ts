/**
 * What the gateways and Debian's peers meet on. On the left, namespaces of the VM; on the right, of this machine.
 *
 *     cpe     eth0 -------------- acc0  lac  core0 ---+
 *     isp     eth1 10.9.1.2 ----- peer0 (10.9.1.1)    | 10.9.0.1
 *                                                     | 10.9.0.2
 *     client  eth2 10.9.2.2 ----- peer0 lns  core0 ---+
 *                                 (10.9.2.1)
 *
 * On badRoads(), two more namespaces of the VM behind isp and client: far-isp (10.9.3.2) and far-client (10.9.4.2).
 */

import { connect, Netns } from "../support/netns.ts";
import { PeerVm } from "../support/peer-vm.ts";

export const LAC_CORE = "10.9.0.1";
export const LNS_CORE = "10.9.0.2";
/** Where the VM's xl2tpd answers as an LNS, and finds our LAC. */
export const DEBIAN_LNS = "10.9.1.2";
export const LAC_FOR_DEBIAN = "10.9.1.1";
/** Where the VM's xl2tpd finds our LNS, and calls from. */
export const LNS_FOR_DEBIAN = "10.9.2.1";
export const DEBIAN_CLIENT = "10.9.2.2";
/** Where it answers and calls from behind a bad road. */
export const FAR_DEBIAN_LNS = "10.9.3.2";
export const FAR_DEBIAN_CLIENT = "10.9.4.2";

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
    lac.configure("peer0", `${LAC_FOR_DEBIAN}/24`);
    lns.configure("peer0", `${LNS_FOR_DEBIAN}/24`);
    await vm.mustRun(["bash", "-ec", GUEST_NAMESPACES]);
    return new PeerNetwork(vm, lac, lns);
  }

  /**
   * An access line for baby jumbo frames (RFC 4638): 1508 octets under up to two tags. In it, for the client, the
   * devices eth0.100 in VLAN 100 and eth0.200.300 in VLAN 300 of an outer, 802.1ad, VLAN 200.
   */
  async wideAccessLine(): Promise<void> {
    this.lac.ip("link", "set", "acc0", "mtu", "1516");
    await this.vm.mustRun(["bash", "-ec", GUEST_VLANS]);
  }

  /** What goes to and from far-isp and far-client is delayed, put out of order, and lost one time in ten. */
  async badRoads(): Promise<void> {
    await this.vm.mustRun(["bash", "-ec", GUEST_BAD_ROADS]);
    this.lac.ip("route", "add", "10.9.3.0/24", "via", DEBIAN_LNS);
    this.lns.ip("route", "add", "10.9.4.0/24", "via", DEBIAN_CLIENT);
  }

  /** Packets that the bad roads have lost so far: there, and back. */
  async lost(far: "far-isp" | "far-client"): Promise<[number, number]> {
    const near = far === "far-isp" ? "isp" : "client";
    const count = async (netns: string, device: string): Promise<number> => {
      const said = await this.vm.mustRun(["tc", "-n", netns, "-s", "qdisc", "show", "dev", device]);
      return Number(/dropped (\d+)/.exec(said)?.[1]);
    };
    return [await count(near, "road"), await count(far, "road")];
  }

  /** Some of many packets come back. */
  async pingOnBadRoad(netns: "cpe" | "far-isp" | "far-client", address: string): Promise<void> {
    const command = ["ping", "-q", "-c", "15", "-i", "0.2", "-w", "10", "-s", "1000", address];
    await this.vm.mustRun(["ip", "netns", "exec", netns, ...command]);
  }

  /** Pings until the bad road has lost more than `before` both ways: chance may spare fifteen packets and a call. */
  async pingUntilLost(
    far: "far-isp" | "far-client",
    before: readonly [number, number],
    address: string,
  ): Promise<void> {
    for (let round = 0; round < 10; round++) {
      await this.pingOnBadRoad(far, address);
      const [out, back] = await this.lost(far);
      if (out > before[0] && back > before[1]) return;
    }
    throw new Error(`the road to ${far} loses nothing`);
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

const GUEST_VLANS = `
ip -n cpe link set eth0 mtu 1516
ip -n cpe link add link eth0 name eth0.100 type vlan id 100
ip -n cpe link add link eth0 name eth0.200 type vlan protocol 802.1ad id 200
ip -n cpe link add link eth0.200 name eth0.200.300 type vlan id 300
for device in eth0.100 eth0.200 eth0.200.300; do ip -n cpe link set $device up; done
`;

const GUEST_BAD_ROADS = `
road() { # NEAR FAR NETWORK
  ip netns add $2
  ip link add road netns $1 type veth peer name road netns $2
  ip -n $2 link set lo up
  ip -n $1 address add $3.1/24 dev road
  ip -n $2 address add $3.2/24 dev road
  for netns in $1 $2; do
    ip -n $netns link set road up
    tc -n $netns qdisc add dev road root netem delay 15ms 10ms loss 10%
  done
  ip -n $2 route add default via $3.1
  ip netns exec $1 sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
}
road isp far-isp 10.9.3
road client far-client 10.9.4
`;
