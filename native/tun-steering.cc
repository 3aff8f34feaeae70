#include "tun-steering.h"

#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "errors.h"

namespace lacewing {

namespace {

// Where addresses are in IP packets. A TUN device's have nothing before them.
constexpr int kIpv4Source = 12;
constexpr int kIpv4Destination = 16;
constexpr int kIpv6Source = 8;
constexpr int kIpv6Destination = 24;

// Knuth's: neighbouring addresses, of which a pool consists, spread evenly
constexpr int32_t kMultiplier = static_cast<int32_t>(0x9e3779b1);

constexpr bpf_insn Instruction(int code, int to, int from, int offset, int32_t value) {
  bpf_insn instruction{};
  instruction.code = static_cast<uint8_t>(code);
  instruction.dst_reg = static_cast<uint8_t>(to & 0xf);
  instruction.src_reg = static_cast<uint8_t>(from & 0xf);
  instruction.off = static_cast<int16_t>(offset);
  instruction.imm = value;
  return instruction;
}

constexpr bpf_insn Move(int to, int from) { return Instruction(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
constexpr bpf_insn Set(int to, int32_t value) {
  return Instruction(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}
// 32 bits wide: what is above them is zero then
constexpr bpf_insn With(int operation, int to, int32_t value) {
  return Instruction(BPF_ALU | operation | BPF_K, to, 0, 0, value);
}
constexpr bpf_insn WithRegister(int operation, int to, int from) {
  return Instruction(BPF_ALU | operation | BPF_X, to, from, 0, 0);
}
// Into R0, in host order; ends the program with 0 when the packet is too short. Needs the packet in R6.
constexpr bpf_insn Load(int size, int offset) {
  return Instruction(BPF_LD | BPF_ABS | size, 0, 0, 0, offset);
}
// So many instructions further on, if R0 is that.
constexpr bpf_insn SkipIfEqual(int32_t value, int instructions) {
  return Instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, instructions, value);
}
constexpr bpf_insn Skip(int instructions) { return Instruction(BPF_JMP | BPF_JA, 0, 0, instructions, 0); }
constexpr bpf_insn Exit() { return Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

}  // namespace

UniqueFd LoadTunSteering(TunSteering steering) {
  bool source = steering == TunSteering::kBySource;
  int ipv4 = source ? kIpv4Source : kIpv4Destination;
  int ipv6 = source ? kIpv6Source : kIpv6Destination;
  // the kernel takes the result modulo the number of queues
  const bpf_insn program[] = {
      Move(BPF_REG_6, BPF_REG_1),
      Load(BPF_B, 0),
      With(BPF_AND, BPF_REG_0, 0xf0),
      SkipIfEqual(0x40, 8),
      SkipIfEqual(0x60, 2),
      Set(BPF_REG_0, 0),
      Exit(),
      // IPv6
      Load(BPF_W, ipv6),
      Move(BPF_REG_7, BPF_REG_0),
      With(BPF_MUL, BPF_REG_7, kMultiplier),
      Load(BPF_W, ipv6 + 4),
      Skip(2),
      // IPv4
      Set(BPF_REG_7, 0),
      Load(BPF_W, ipv4),
      // both: the upper half of a product is what all bits have to do with
      WithRegister(BPF_XOR, BPF_REG_0, BPF_REG_7),
      With(BPF_MUL, BPF_REG_0, kMultiplier),
      With(BPF_RSH, BPF_REG_0, 16),
      Exit(),
  };
  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insns = reinterpret_cast<uintptr_t>(program);
  attributes.insn_cnt = sizeof program / sizeof program[0];
  attributes.license = reinterpret_cast<uintptr_t>("MIT");
  constexpr char kName[] = "lacewing_steer";
  static_assert(sizeof kName <= BPF_OBJ_NAME_LEN);
  std::memcpy(attributes.prog_name, kName, sizeof kName);
  long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
  return UniqueFd(static_cast<int>(Check(fd, "bpf", "the program that steers a TUN device")));
}

void SteerTun(int queue, int program) {
  Check(ioctl(queue, TUNSETSTEERINGEBPF, &program), "TUNSETSTEERINGEBPF", "descriptor " + std::to_string(queue));
}

}  // namespace lacewing
