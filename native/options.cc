#include "options.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>

#include <climits>
#include <cstring>

#include "arguments.h"

namespace lacewing {

namespace {

// Beyond this the kernel's own limits end what makes sense.
constexpr int64_t kLargestBuffer = 1 << 30;

std::span<uint8_t> WholeProgram(std::span<uint8_t> program, Napi::Env env, const char* key) {
  if (program.size() % sizeof(sock_filter) != 0 || program.size() / sizeof(sock_filter) > BPF_MAXINSNS)
    throw Napi::RangeError::New(env, std::string(key) + " must be at most 4096 whole struct sock_filter");
  return program;
}

bool IsPowerOfTwo(int64_t value) { return (value & (value - 1)) == 0; }

}  // namespace

PacketOptions ReadPacketOptions(const Napi::Object& given) {
  Napi::Env env = given.Env();
  PacketOptions options{};
  options.ifindex = static_cast<int>(Integer(given, "ifindex", 1, INT_MAX));
  options.name = Text(given, "name");
  options.protocol = static_cast<uint16_t>(Integer(given, "protocol", 0, 0xffff, ETH_P_ALL));
  options.filter = WholeProgram(Octets(given, "filter"), env, "filter");
  options.ringSlots = static_cast<uint32_t>(Integer(given, "ringSlots", 0, 1 << 20));
  options.slotBytes =
      static_cast<uint32_t>(Integer(given, "slotBytes", options.ringSlots == 0 ? 0 : 2048, 1 << 20));
  options.headroomBytes = static_cast<uint32_t>(Integer(given, "headroomBytes", 0, 1024));
  options.sendBufferBytes = static_cast<int>(Integer(given, "sendBufferBytes", 0, kLargestBuffer));
  options.receiveBufferBytes =
      static_cast<int>(Integer(given, "receiveBufferBytes", 0, kLargestBuffer, 0));
  options.bypassQdisc = Flag(given, "bypassQdisc");
  options.promiscuous = Flag(given, "promiscuous");
  if (options.ringSlots > 0 &&
      (options.ringSlots < 2 || !IsPowerOfTwo(options.ringSlots) || !IsPowerOfTwo(options.slotBytes) ||
       options.ringBytes() > size_t{kLargestBuffer}))
    throw Napi::RangeError::New(env,
                                "ringSlots and slotBytes must be powers of two, together at most 1 GiB");
  Napi::Value fanout = given.Get("fanout");
  if (!fanout.IsUndefined()) {
    Napi::Object object = Options(fanout);
    FanoutOptions parsed{static_cast<uint32_t>(Integer(object, "group", 0, 0xffff)),
                         static_cast<uint32_t>(Integer(object, "mode", 0, 0xffff)),
                         OptionalOctets(object, "program")};
    if (parsed.program) WholeProgram(*parsed.program, env, "program");
    options.fanout = parsed;
  }
  return options;
}

XskOptions ReadXskOptions(const Napi::Object& given) {
  XskOptions options{};
  options.ifindex = static_cast<int>(Integer(given, "ifindex", 1, INT_MAX));
  options.name = Text(given, "name");
  options.queue = static_cast<uint32_t>(Integer(given, "queue", 0, UINT16_MAX));
  options.slots = static_cast<uint32_t>(Integer(given, "slots", 2, 1 << 16));
  options.slotBytes = static_cast<uint32_t>(Integer(given, "slotBytes", 2048, 1 << 16));
  options.sendBufferBytes = static_cast<int>(Integer(given, "sendBufferBytes", 0, kLargestBuffer));
  if (!IsPowerOfTwo(options.slots) || !IsPowerOfTwo(options.slotBytes))
    throw Napi::RangeError::New(given.Env(), "slots and slotBytes must be powers of two");
  return options;
}

namespace {

std::string AddressText(const UdpOptions& options) {
  char text[INET6_ADDRSTRLEN];
  int family = options.bound.family == 4 ? AF_INET : AF_INET6;
  inet_ntop(family, options.bound.remote, text, sizeof text);
  std::string port = std::to_string(ntohs(options.bound.port));
  return family == AF_INET ? std::string(text) + ":" + port : "[" + std::string(text) + "]:" + port;
}

}  // namespace

UdpOptions ReadUdpOptions(const Napi::Object& given) {
  UdpOptions options{};
  options.bound.family = static_cast<uint8_t>(Integer(given, "family", 4, 6));
  std::span<uint8_t> address = Octets(given, "address");
  if (address.size() != (options.bound.family == 4 ? 4 : 16) || options.bound.family == 5)
    throw Napi::RangeError::New(given.Env(), "family must be 4 with an address of 4 octets, or 6 with 16");
  std::memcpy(options.bound.remote, address.data(), address.size());
  options.bound.port = htons(static_cast<uint16_t>(Integer(given, "port", 0, 0xffff)));
  options.ifindex = static_cast<int>(Integer(given, "ifindex", 0, INT_MAX));
  options.bound.scope = static_cast<uint32_t>(options.ifindex);
  options.name = AddressText(options);
  options.freeBind = given.Has("freeBind") && Flag(given, "freeBind");
  options.reusePort = Flag(given, "reusePort");
  options.reusePortProgram = OptionalOctets(given, "reusePortProgram");
  if (options.reusePortProgram) WholeProgram(*options.reusePortProgram, given.Env(), "reusePortProgram");
  options.receiveBufferBytes = static_cast<int>(Integer(given, "receiveBufferBytes", 0, kLargestBuffer));
  options.sendBufferBytes = static_cast<int>(Integer(given, "sendBufferBytes", 0, kLargestBuffer));
  options.gro = Flag(given, "gro");
  options.checksum = Flag(given, "checksum");
  std::string df = Text(given, "df");
  if (df != "clear" && df != "probe")
    throw Napi::RangeError::New(given.Env(), "df must be \"clear\" or \"probe\"");
  options.clearDf = df == "clear";
  return options;
}

namespace {

TunSteering Steering(const Napi::Object& given) {
  std::string by = OptionalText(given, "steering").value_or("flow");
  if (by == "flow") return TunSteering::kByFlow;
  if (by == "destination") return TunSteering::kByDestination;
  if (by == "source") return TunSteering::kBySource;
  throw Napi::RangeError::New(given.Env(), "steering must be \"flow\", \"destination\" or \"source\"");
}

}  // namespace

TunOptions ReadTunOptions(const Napi::Object& given) {
  TunOptions options{Text(given, "name"), static_cast<uint32_t>(Integer(given, "queues", 1, 256)),
                     Flag(given, "vnetHeader"), given.Has("segments") && Flag(given, "segments"),
                     Steering(given)};
  // a '%' would let the kernel choose a name
  if (options.name.empty() || options.name.size() >= IFNAMSIZ ||
      options.name.find_first_of("/%: \t\n") != std::string::npos)
    throw Napi::RangeError::New(given.Env(), "name must be a device name of 1 to 15 octets");
  return options;
}

}  // namespace lacewing
