/** Where packets are larger than what has to carry them. */

import { TPID_8021Q, type VlanTag } from "../wire/ethernet.ts";
import { largestPppFrame } from "../wire/pppoe.ts";
import type { AccessConfig, Config, L2tpPeerConfig } from "./config.ts";
import type { LoadedConfig } from "./load.ts";
import type { Warning } from "./warnings.ts";

/** What this host says of MTUs, in octets; undefined where it does not know. */
export interface HostMtus {
  /** Of the interface of that name. */
  ofInterface(name: string): number | undefined;
  /** Of the route to an address. */
  towards(address: string): number | undefined;
}

const NO_HOST: HostMtus = { ofInterface: () => undefined, towards: () => undefined };

const PPP_PROTOCOL_BYTES = 2;

export function mtuWarnings({ config }: LoadedConfig, host: HostMtus = NO_HOST): readonly Warning[] {
  return [
    ...config.access.flatMap((access, i) => accessWarning(config, access, i, host)),
    ...config.l2tp.peers.flatMap((peer, i) => pathWarning(config, peer, i, host)),
    ...unitWarnings(config),
  ];
}

/** Subscribers' packets under as many tags as the lines say. */
function accessWarning(config: Config, access: AccessConfig, i: number, host: HostMtus): readonly Warning[] {
  const mtu = host.ofInterface(access.interface);
  if (mtu === undefined) return [];
  const tags = tagsOn(config, access.interface);
  const fits = largestPppFrame(mtu, tags) - PPP_PROTOCOL_BYTES;
  if (fits >= access.mruBytes) return [];
  const under = tags.length === 0 ? "" : ` under ${tags.length} VLAN tag${tags.length > 1 ? "s" : ""}`;
  const needed = mtu + access.mruBytes - fits;
  return [
    {
      path: ["access", i],
      at: "key",
      text: `packets of ${access.mruBytes} octets do not fit the interface${under}: its MTU is ${mtu}, and would have to be ${needed}`,
    },
  ];
}

/** The most that a line of the interface has. */
function tagsOn({ lines }: Config, device: string): readonly VlanTag[] {
  const mine = lines.filter((line) => line.interface === undefined || line.interface === device);
  const tag: VlanTag = { tpid: TPID_8021Q, tci: 1 };
  if (mine.some(({ outerVlans }) => outerVlans !== undefined)) return [tag, tag];
  return mine.some(({ vlans }) => vlans !== undefined) ? [tag] : [];
}

/** The largest packets of subscribers of ours, in L2TP to an LNS. */
function pathWarning(config: Config, peer: L2tpPeerConfig, i: number, host: HostMtus): readonly Warning[] {
  if (peer.role === "lac" || peer.address === undefined || config.access.length === 0) return [];
  const path = peer.pathMtuBytes ?? host.towards(peer.address);
  const inner = Math.max(...config.access.map(({ mruBytes }) => mruBytes));
  const needed = inner + overhead(peer, peer.address);
  if (path === undefined || needed <= path) return [];
  const consequence =
    peer.oversize === "drop"
      ? "what is larger is dropped (oversize)"
      : "what is larger goes in two fragments, which costs both ends";
  return [
    {
      path: ["l2tp", "peers", i],
      at: "key",
      text: `packets of ${inner} octets need ${needed} in L2TP, and the path takes ${path}: ${consequence}`,
    },
  ];
}

/** IP, UDP, L2TP and PPP headers around a packet, without sequence numbers. */
function overhead({ lengthBit, addressControl }: L2tpPeerConfig, address: string): number {
  return (address.includes(":") ? 40 : 20) + 8 + (lengthBit ? 8 : 6) + (addressControl ? 4 : 2);
}

/** A device whose MTU no subscriber's line takes is only a source of errors on the way. */
function unitWarnings({ access, units, l2tp }: Config): readonly Warning[] {
  // what LACs bring may be of any size
  if (access.length === 0 || l2tp.peers.some(({ role }) => role !== "lns")) return [];
  const most = Math.max(...access.map(({ mruBytes }) => mruBytes));
  return [...units].flatMap(([name, { mode, mtuBytes }]): Warning[] =>
    mode === "shared" && mtuBytes > most
      ? [
          {
            path: ["units", name, "mtu"],
            at: "value",
            text: `${mtuBytes} is more than any access interface takes (mru ${most}): larger packets are refused one by one`,
          },
        ]
      : [],
  );
}
