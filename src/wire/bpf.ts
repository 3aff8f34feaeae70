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
/** BPF_RET | BPF_K. */
const RETURN = 0x06;

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

/** For a group of SO_REUSEPORT sockets: everything goes to the one that was bound first. */
export function firstMemberProgram(): Uint8Array {
  return assemble([{ code: RETURN, k: 0 }]);
}
