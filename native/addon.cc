// The functions of `Addon` in src/io/addon.ts.

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <napi.h>

#include <climits>
#include <cstring>

#include "arguments.h"
#include "control-io.h"
#include "environment.h"
#include "netlink.h"
#include "notify.h"
#include "objects.h"
#include "tun.h"
#include "udp-socket.h"

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

namespace {

std::string AddressText(const UdpOptions& options) {
  char text[INET6_ADDRSTRLEN];
  int family = options.bound.family == 4 ? AF_INET : AF_INET6;
  inet_ntop(family, options.bound.remote, text, sizeof text);
  std::string port = std::to_string(ntohs(options.bound.port));
  return family == AF_INET ? std::string(text) + ":" + port : "[" + std::string(text) + "]:" + port;
}

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

TunOptions ReadTunOptions(const Napi::Object& given) {
  TunOptions options{Text(given, "name"), OptionalText(given, "netnsPath").value_or(""),
                     static_cast<uint32_t>(Integer(given, "queues", 1, 256)), Flag(given, "vnetHeader")};
  // a '%' would let the kernel choose a name
  if (options.name.empty() || options.name.size() >= IFNAMSIZ ||
      options.name.find_first_of("/%: \t\n") != std::string::npos)
    throw Napi::RangeError::New(given.Env(), "name must be a device name of 1 to 15 octets");
  return options;
}

Napi::Value Adopt(Napi::Env env, UniqueFd fd) {
  return Napi::Number::New(env, Environment::Of(env).descriptors.Adopt(std::move(fd)));
}

Napi::Value CreateRegion(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env()).region.New({info[0]});
}

Napi::Value CreatePoller(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env()).poller.New({});
}

Napi::Value OpenPacket(const Napi::CallbackInfo& info) {
  PacketOptions options = ReadPacketOptions(Options(info[0]));
  return Guard(info.Env(), [&] { return Adopt(info.Env(), OpenPacketSocket(options)); });
}

Napi::Value OpenUdp(const Napi::CallbackInfo& info) {
  UdpOptions options = ReadUdpOptions(Options(info[0]));
  return Guard(info.Env(), [&] {
    UniqueFd socket = OpenUdpSocket(options);
    FrameSender::AllowSegments(socket.get(), options.checksum || options.bound.family == 6);
    return Adopt(info.Env(), std::move(socket));
  });
}

Napi::Value OpenTun(const Napi::CallbackInfo& info) {
  TunOptions options = ReadTunOptions(Options(info[0]));
  return Guard(info.Env(), [&] {
    TunDevice device = OpenTunDevice(options);
    Napi::Array fds = Napi::Array::New(info.Env());
    for (uint32_t i = 0; i < device.queues.size(); i++)
      fds.Set(i, Adopt(info.Env(), std::move(device.queues[i])));
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("fds", fds);
    result.Set("ifindex", Napi::Number::New(info.Env(), device.ifindex));
    return result;
  });
}

Napi::Value SetTunQueueAttached(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  if (!info[1].IsBoolean()) throw Napi::TypeError::New(info.Env(), "attached must be a boolean");
  Guard(info.Env(), [&] { SetTunQueue(fd, info[1].As<Napi::Boolean>()); });
  return info.Env().Undefined();
}

Napi::Value OpenNetlink(const Napi::CallbackInfo& info) {
  Napi::Object options = Options(info[0]);
  std::string netnsPath = OptionalText(options, "netnsPath").value_or("");
  auto groups = static_cast<uint32_t>(Integer(options, "groups", 0, UINT32_MAX));
  return Guard(info.Env(), [&] { return Adopt(info.Env(), OpenNetlinkSocket(netnsPath, groups)); });
}

Napi::Value OpenEventDescriptor(const Napi::CallbackInfo& info) {
  return Guard(info.Env(), [&] { return Adopt(info.Env(), OpenEvent()); });
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  Guard(info.Env(), [&] { Environment::Of(info.Env()).descriptors.Close(fd); });
  return info.Env().Undefined();
}

Napi::Value Signal(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  Guard(info.Env(), [&] { SignalEvent(fd); });
  return info.Env().Undefined();
}

Napi::Value Drain(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  Guard(info.Env(), [&] { DrainEvent(fd); });
  return info.Env().Undefined();
}

Napi::Value CreateWatcher(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env()).watcher.New({info[0], info[1]});
}

Napi::Value SendFrame(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), SendOne(Descriptor(info[0]), Octets(info[1], "frame")));
}

Napi::Value SendDatagram(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  std::span<uint8_t> address = Octets(info[1], "address");
  if (address.size() < sizeof(AddressRecord))
    throw Napi::RangeError::New(info.Env(), "address must be an address record of 64 octets");
  AddressRecord record;
  std::memcpy(&record, address.data(), sizeof record);
  if (record.family != 4 && record.family != 6)
    throw Napi::RangeError::New(info.Env(), "the address record's family must be 4 or 6");
  return Napi::Number::New(info.Env(), SendOneDatagram(fd, record, Octets(info[2], "datagram")));
}

Napi::Uint8Array CopyOf(Napi::Env env, std::span<const uint8_t> octets) {
  Napi::Uint8Array copy = Napi::Uint8Array::New(env, octets.size());
  if (!octets.empty()) std::memcpy(copy.Data(), octets.data(), octets.size());
  return copy;
}

Napi::Value ReceiveFrame(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  return Guard(info.Env(), [&]() -> Napi::Value {
    std::optional<std::span<uint8_t>> frame = ReceiveOne(fd, Environment::Of(info.Env()).scratch);
    if (!frame) return info.Env().Undefined();
    return CopyOf(info.Env(), *frame);
  });
}

Napi::Value ReadErrors(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array errors = Napi::Array::New(env);
  for (const QueuedError& queued : ReadErrorQueue(Descriptor(info[0]))) {
    const AddressRecord& destination = queued.destination;
    size_t octets = destination.family == 4 ? 4 : destination.family == 6 ? 16 : 0;
    Napi::Object error = Napi::Object::New(env);
    error.Set("code", ErrorName(queued.error));
    error.Set("errno", Napi::Number::New(env, queued.error));
    error.Set("info", Napi::Number::New(env, queued.info));
    error.Set("address", CopyOf(env, {destination.remote, octets}));
    error.Set("port", Napi::Number::New(env, ntohs(destination.port)));
    errors.Set(errors.Length(), error);
  }
  return errors;
}

Napi::Value NetlinkTransact(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  std::span<uint8_t> request = Octets(info[1], "request");
  if (!IsNetlinkMessage(request))
    throw Napi::RangeError::New(info.Env(), "request must be one whole netlink message");
  Napi::Array parts = Napi::Array::New(info.Env());
  Guard(info.Env(), [&] {
    Transact(fd, request, Environment::Of(info.Env()).scratch, [&](std::span<const uint8_t> part) {
      parts.Set(parts.Length(), CopyOf(info.Env(), part));
    });
  });
  return parts;
}

Napi::Value Notify(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "state must be a string");
  std::string state = info[0].As<Napi::String>();
  return Guard(info.Env(), [&] { return Napi::Boolean::New(info.Env(), NotifyServiceManager(state)); });
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  // one per environment, ended with it: workers load the addon too
  auto* environment = new Environment;
  env.SetInstanceData(environment);
  environment->scratch.resize(kScratchBytes);
  environment->region = Napi::Persistent(RegionObject::Define(env));
  environment->receiver = Napi::Persistent(ReceiverObject::Define(env));
  environment->poller = Napi::Persistent(PollerObject::Define(env));
  environment->watcher = Napi::Persistent(WatcherObject::Define(env));

  auto define = [&]<Napi::Value (*function)(const Napi::CallbackInfo&)>(const char* name) {
    exports.Set(name, Napi::Function::New<function>(env, name));
  };
  define.operator()<CreateRegion>("createRegion");
  define.operator()<CreatePoller>("createPoller");
  define.operator()<OpenPacket>("openPacket");
  define.operator()<OpenUdp>("openUdp");
  define.operator()<OpenTun>("openTun");
  define.operator()<SetTunQueueAttached>("setTunQueue");
  define.operator()<OpenNetlink>("openNetlink");
  define.operator()<OpenEventDescriptor>("openEvent");
  define.operator()<Close>("close");
  define.operator()<Signal>("signal");
  define.operator()<Drain>("drain");
  define.operator()<CreateWatcher>("watch");
  define.operator()<SendFrame>("sendFrame");
  define.operator()<SendDatagram>("sendDatagram");
  define.operator()<ReceiveFrame>("receiveFrame");
  define.operator()<ReadErrors>("readErrors");
  define.operator()<NetlinkTransact>("netlinkTransact");
  define.operator()<Notify>("notify");
  return exports;
}

}  // namespace

}  // namespace lacewing

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) { return lacewing::Init(env, exports); }
NODE_API_MODULE(lacewing, InitAddon)
