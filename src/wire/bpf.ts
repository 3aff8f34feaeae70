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

/** BPF_LD | BPF_H | BPF_ABS: two octets of the packet, as a number. */
const LOAD_U16 = 0x28;
/** BPF_JMP | BPF_JEQ | BPF_K: skips `jt` instructions if equal, else `jf`. */
const JUMP_IF_EQUAL = 0x15;
/** BPF_JMP | BPF_JSET | BPF_K: as JUMP_IF_EQUAL, if a bit of `k` is set. */
const JUMP_IF_SET = 0x45;
/** BPF_ALU | BPF_MOD | BPF_K. */
const MODULO = 0x94;
/** BPF_RET | BPF_K. */
const RETURN = 0x06;
/** BPF_RET | BPF_A. */
const RETURN_NUMBER = 0x16;
/** SKF_AD_OFF + SKF_AD_PROTOCOL: what skb->protocol says. */
const PROTOCOL = 0xffff_f000;

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
 * For a group of SO_REUSEPORT sockets: L2TP messages go by their tunnel id (RFC 2661 §3.1) to one of the first
 * `members` that were bound. The packet begins behind the UDP header; one that is too short goes to the first.
 */
export function tunnelIdProgram(members: number): Uint8Array {
  const L_BIT = 0x4000;
  return assemble([
    { code: LOAD_U16, k: 0 },
    { code: JUMP_IF_SET, jt: 3, jf: 0, k: L_BIT },
    { code: LOAD_U16, k: 2 },
    { code: MODULO, k: members },
    { code: RETURN_NUMBER, k: 0 },
    { code: LOAD_U16, k: 4 },
    { code: MODULO, k: members },
    { code: RETURN_NUMBER, k: 0 },
  ]);
}
