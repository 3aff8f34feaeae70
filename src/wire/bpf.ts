/**
 * Classic BPF programs for socket filters (linux/filter.h): struct sock_filter, eight octets an instruction, in
 * the host's byte order.
 *
 *   +-------------------------------+---------------+---------------+
 *   |             code              |      jt       |      jf       |
 *   +-------------------------------+---------------+---------------+
 *   |                               k                               |
 *   +---------------------------------------------------------------+
 */

import { IPV4_SOURCE } from "./ipv4.ts";
import { IPV6_HEADER_BYTES, IPV6_SOURCE } from "./ipv6.ts";

/** BPF_LD | BPF_H | BPF_ABS: two octets of the packet, as a number. */
const LOAD_U16 = 0x28;
/** BPF_JMP | BPF_JEQ | BPF_K: skips `jt` instructions if equal, else `jf`. */
const JUMP_IF_EQUAL = 0x15;
/** BPF_LD | BPF_W | BPF_ABS: four octets. */
const LOAD_U32 = 0x20;
/** BPF_LD | BPF_H | BPF_IND: two octets, from X + `k` on. */
const LOAD_U16_BEHIND_X = 0x48;
/** BPF_LDX | BPF_B | BPF_MSH: X becomes the length of the IPv4 header whose first octet is there. */
const LOAD_X_HEADER_BYTES = 0xb1;
/** BPF_MISC | BPF_TAX: X becomes the number. */
const NUMBER_TO_X = 0x07;
/** BPF_ALU | BPF_XOR | BPF_X. */
const XOR_X = 0xac;
/** BPF_ALU | BPF_MUL | BPF_K: modulo 2³². */
const MULTIPLY = 0x24;
/** BPF_ALU | BPF_RSH | BPF_K. */
const SHIFT_RIGHT = 0x74;
/** BPF_ALU | BPF_MOD | BPF_K. */
const MODULO = 0x94;
/** BPF_RET | BPF_K. */
const RETURN = 0x06;
/** BPF_RET | BPF_A. */
const RETURN_NUMBER = 0x16;
/** SKF_AD_OFF + SKF_AD_PROTOCOL: what skb->protocol says. */
const PROTOCOL = 0xffff_f000;
/** SKF_NET_OFF: offsets from here on count from the start of the IP header. */
const NETWORK_HEADER = 0xfff0_0000;

const TPIDS = [0x8100, 0x88a8, 0x9100];
const ALL_OCTETS = 0x0004_0000;

interface Instruction {
  readonly code: number;
  readonly jt?: number;
  readonly jf?: number;
  readonly k: number;
}

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(8 * program.length);
  const halves = new Uint16Array(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  for (const [i, { code, jt = 0, jf = 0, k }] of program.entries()) {
    halves[4 * i] = code;
    bytes[8 * i + 2] = jt;
    bytes[8 * i + 3] = jf;
    words[2 * i + 1] = k;
  }
  return bytes;
}

/**
 * Takes Ethernet frames of one EtherType under up to two VLAN tags, and no others. The kernel has taken the
 * outermost tag out of a received frame before the filter sees it, so a third may get through.
 */
export function etherTypeFilter(etherType: number): Uint8Array {
  const program: Instruction[] = [];
  const offsets = [12, 16, 20];
  const perLevel = 2 + TPIDS.length;
  const last = offsets.length - 1;
  // each level: load, the EtherType itself, then the tags, which lead to the next level
  const length = perLevel * last + 2;
  const reject = length;
  const accept = length + 1;
  for (const [level, offset] of offsets.entries()) {
    program.push({ code: LOAD_U16, k: offset });
    const tests = level === last ? [etherType] : [etherType, ...TPIDS];
    for (const [i, value] of tests.entries()) {
      const at = program.length;
      const target = i === 0 ? accept : perLevel * (level + 1);
      const next = i === tests.length - 1 ? reject : at + 1;
      program.push({ code: JUMP_IF_EQUAL, jt: target - at - 1, jf: next - at - 1, k: value });
    }
  }
  program.push({ code: RETURN, k: 0 }, { code: RETURN, k: ALL_OCTETS });
  return assemble(program);
}

/**
 * For a fanout group: the session id of PPPoE session frames under up to two VLAN tags, which the kernel takes modulo
 * the number of members; 0 for everything else. The packet begins behind the Ethernet header and the outermost tag,
 * which the kernel has taken out: what follows is named by its protocol alone.
 */
export function sessionIdProgram(etherType: number): Uint8Array {
  // each level: load the EtherType; if it is ours, the id is at this offset, and behind a tag there is the next level
  const levels = [
    { etherType: PROTOCOL, sessionId: 2 },
    { etherType: 2, sessionId: 6 },
    { etherType: 6, sessionId: 10 },
  ];
  const perLevel = 2 + TPIDS.length;
  const reject = perLevel * levels.length;
  const program: Instruction[] = [];
  for (const [level, offsets] of levels.entries()) {
    program.push({ code: LOAD_U16, k: offsets.etherType });
    const found = reject + 1 + 2 * level;
    const deeper = level + 1 < levels.length ? perLevel * (level + 1) : reject;
    for (const [i, value] of [etherType, ...TPIDS].entries()) {
      const at = program.length;
      const next = i === TPIDS.length ? reject : at + 1;
      program.push({
        code: JUMP_IF_EQUAL,
        jt: (i === 0 ? found : deeper) - at - 1,
        jf: next - at - 1,
        k: value,
      });
    }
  }
  program.push({ code: RETURN, k: 0 });
  for (const { sessionId } of levels)
    program.push({ code: LOAD_U16, k: sessionId }, { code: RETURN_NUMBER, k: 0 });
  return assemble(program);
}

/**
 * For a group of SO_REUSEPORT sockets: datagrams go by their sender's address and port to one of the first `members`
 * that were bound. Not by the tunnel: UDP_GRO makes one of datagrams of several tunnels between the same two ends, and
 * the kernel asks for the first of them alone.
 */
export function senderProgram(family: 4 | 6, members: number): Uint8Array {
  // the port: of IPv4 behind options, if any. With IPv6 extension headers it is something else that a flow has in common
  const port: Instruction[] =
    family === 4
      ? [
          { code: LOAD_X_HEADER_BYTES, k: NETWORK_HEADER },
          { code: LOAD_U16_BEHIND_X, k: NETWORK_HEADER },
        ]
      : [{ code: LOAD_U16, k: NETWORK_HEADER + IPV6_HEADER_BYTES }];
  const source = family === 4 ? IPV4_SOURCE : IPV6_SOURCE;
  const words = family === 4 ? [0] : [0, 4, 8, 12];
  return assemble([
    ...port,
    ...words.flatMap((word) => [
      { code: NUMBER_TO_X, k: 0 },
      { code: LOAD_U32, k: NETWORK_HEADER + source + word },
      { code: XOR_X, k: 0 },
    ]),
    // the upper half depends on all bits
    { code: MULTIPLY, k: 0x9e37_79b1 },
    { code: SHIFT_RIGHT, k: 16 },
    { code: MODULO, k: members },
    { code: RETURN_NUMBER, k: 0 },
  ]);
}
