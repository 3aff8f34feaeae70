/** What Debian's peers sent (test/vectors), taken apart into what each codec gets. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromHex } from "../../src/base/bytes.ts";
import {
  ETHERTYPE_PPPOE_DISCOVERY,
  ETHERTYPE_PPPOE_SESSION,
  parseEthernet,
} from "../../src/wire/ethernet.ts";
import { parseL2tp } from "../../src/wire/l2tp.ts";
import { parsePpp } from "../../src/wire/ppp.ts";
import { PPPOE_HEADER_BYTES, pppoePayloadLength } from "../../src/wire/pppoe.ts";
import { readPcap } from "../support/pcap.ts";
import { datagramOf } from "../support/udp-frame.ts";
import { KERNEL_ANSWERS, KERNEL_NOTIFICATIONS } from "../vectors/rtnetlink-kernel.ts";

const NAMES = ["pppoe-pap", "pppoe-chap", "l2tp-plain", "l2tp-hidden"];
const L2TP_PORT = 1701;
const ETHERNET_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const IPV4_HEADER_BYTES = 20;

/** The checkout, seen from here as it is written and as it is compiled. */
function checkout(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "package.json"))) directory = dirname(directory);
  return directory;
}

function frames(): Uint8Array[] {
  return NAMES.flatMap((name) => readPcap(readFileSync(join(checkout(), "test/vectors", `${name}.pcap`))));
}

interface Captured {
  readonly frames: readonly Uint8Array[];
  /** Payloads of discovery frames. */
  readonly discovery: readonly Uint8Array[];
  /** PPP frames of PPPoE and of L2TP, beginning with the protocol field or FF03. */
  readonly ppp: readonly Uint8Array[];
  readonly ipv4: readonly Uint8Array[];
  readonly udp: readonly Uint8Array[];
  readonly l2tp: readonly Uint8Array[];
  /** Bodies of L2TP control messages. */
  readonly control: readonly Uint8Array[];
  readonly netlink: readonly Uint8Array[];
}

function takeApart(): Captured {
  const all = frames();
  const discovery: Uint8Array[] = [];
  const ppp: Uint8Array[] = [];
  const ipv4: Uint8Array[] = [];
  const l2tp: Uint8Array[] = [];
  const control: Uint8Array[] = [];
  for (const frame of all) {
    const { etherType, payload } = parseEthernet(frame)!;
    if (etherType === ETHERTYPE_PPPOE_DISCOVERY) discovery.push(payload);
    if (etherType === ETHERTYPE_PPPOE_SESSION) {
      const length = pppoePayloadLength(payload, 0, payload.length);
      ppp.push(payload.subarray(PPPOE_HEADER_BYTES, PPPOE_HEADER_BYTES + length));
    }
    if (etherType === ETHERTYPE_IPV4) ipv4.push(frame.subarray(ETHERNET_BYTES));
    const datagram = datagramOf(frame, L2TP_PORT);
    if (datagram === undefined) continue;
    l2tp.push(datagram);
    const packet = parseL2tp(datagram);
    if (typeof packet === "string") throw new Error(`a capture holds what is ${packet}`);
    (packet.header.control ? control : ppp).push(packet.payload);
  }
  return {
    frames: all,
    discovery,
    ppp,
    ipv4,
    udp: ipv4.map((packet) => packet.subarray(IPV4_HEADER_BYTES)),
    l2tp,
    control: control.filter((body) => body.length > 0),
    netlink: [
      ...Object.values(KERNEL_ANSWERS).flatMap(({ request, answer }) => [request, ...answer]),
      ...Object.values(KERNEL_NOTIFICATIONS).flat(),
    ].map(fromHex),
  };
}

export const CAPTURED: Captured = takeApart();

/** The captured packets of one PPP protocol, without its number. */
export function capturedPackets(protocol: number): Uint8Array[] {
  return CAPTURED.ppp.flatMap((frame) => {
    const packet = parsePpp(frame);
    return packet?.protocol === protocol ? [packet.information] : [];
  });
}
