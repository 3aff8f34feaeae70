// The functions of `Addon` in src/io/addon.ts.

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <napi.h>

#include <cstring>

#include "arguments.h"
#include "control-io.h"
#include "environment.h"
#include "namespace-promise.h"
#include "netlink.h"
#include "notify.h"
#include "objects.h"
#include "options.h"
#include "unit-helper-client.h"

namespace lacewing {

namespace {

Napi::Value Adopt(Napi::Env env, UniqueFd fd) {
  return Napi::Number::New(env, Environment::Of(env).descriptors.Adopt(std::move(fd)));
}

Napi::Value CreateRegion(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env()).region.New({info[0]});
}

Napi::Value CreatePoller(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env()).poller.New({info[0]});
}

Napi::Value OpenPacket(const Napi::CallbackInfo& info) {
  PacketOptions options = ReadPacketOptions(Options(info[0]));
  return Guard(info.Env(), [&] { return Adopt(info.Env(), OpenPacketSocket(options)); });
}

Napi::Value SendByXsk(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  XskOptions options = ReadXskOptions(Options(info[1]));
  Guard(info.Env(), [&] {
    if (!Environment::Of(info.Env()).descriptors.Owns(fd))
      throw SystemFailure(EBADF, "socket", "descriptor " + std::to_string(fd));
    XskOutlet::Open(fd, options);
  });
  return info.Env().Undefined();
}

Napi::Value ReadFanoutGroup(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  return Guard(info.Env(), [&] { return Napi::Number::New(info.Env(), FanoutGroup(fd)); });
}

Napi::Value OpenUdp(const Napi::CallbackInfo& info) {
  UdpOptions options = ReadUdpOptions(Options(info[0]));
  return Guard(info.Env(), [&] {
    UniqueFd socket = OpenUdpSocket(options);
    FrameSender::AllowSegments(socket.get(), options.checksum || options.bound.family == 6);
    return Adopt(info.Env(), std::move(socket));
  });
}

// As many as there are to be queues, and nobody else's any more.
std::vector<UniqueFd> TakeTuns(const Napi::Value& given, uint32_t queues) {
  if (!given.IsArray() || given.As<Napi::Array>().Length() != queues)
    throw Napi::RangeError::New(given.Env(), "files.tuns must be a descriptor for each queue");
  std::vector<UniqueFd> tuns;
  for (uint32_t i = 0; i < queues; i++)
    tuns.push_back(
        Environment::Of(given.Env()).descriptors.Release(Descriptor(given.As<Napi::Array>().Get(i))));
  return tuns;
}

Napi::Value OpenTun(const Napi::CallbackInfo& info) {
  Napi::Object given = Options(info[0]);
  TunOptions options = ReadTunOptions(given);
  return Guard(info.Env(), [&] {
    NamespaceFiles own;
    int socket;
    if (Napi::Value files = given.Get("files"); files.IsUndefined()) {
      own = OpenNamespaceFiles("", options.queues);
      socket = own.netlink.get();
    } else {
      socket = Descriptor(Options(files).Get("netlink"));
      own.tuns = TakeTuns(Options(files).Get("tuns"), options.queues);
    }
    TunDevice device = OpenTunDevice(options, std::move(own.tuns), socket);
    Napi::Array fds = Napi::Array::New(info.Env());
    for (uint32_t i = 0; i < device.queues.size(); i++)
      fds.Set(i, Adopt(info.Env(), std::move(device.queues[i])));
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("fds", fds);
    result.Set("ifindex", Napi::Number::New(info.Env(), device.ifindex));
    result.Set("segmentsUdp", Napi::Boolean::New(info.Env(), device.segmentsUdp));
    if (!device.refusal.empty()) result.Set("refusal", device.refusal);
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
  auto protocol = static_cast<int>(Integer(options, "protocol", 0, MAX_LINKS - 1, NETLINK_ROUTE));
  return Guard(info.Env(), [&] { return Adopt(info.Env(), OpenNetlinkSocket(netnsPath, groups, protocol)); });
}

Napi::Value OpenNamespace(const Napi::CallbackInfo& info) {
  Napi::Object options = Options(info[0]);
  std::string netnsPath = Text(options, "netnsPath");
  auto tuns = static_cast<uint32_t>(Integer(options, "tuns", 0, kMostTuns));
  return PromiseNamespaceFiles(info.Env(), [=] { return OpenNamespaceFiles(netnsPath, tuns); });
}

Napi::Value AskHelper(const Napi::CallbackInfo& info) {
  Napi::Object options = Options(info[0]);
  std::string socketPath = Text(options, "socketPath");
  UnitRequest request{static_cast<uint32_t>(Integer(options, "tuns", 0, kMostTuns)), Text(options, "netns")};
  if (!IsPlainName(request.netns))
    throw Napi::RangeError::New(info.Env(), "netns must be the plain name of a network namespace");
  return PromiseNamespaceFiles(info.Env(), [=] { return AskUnitHelper(socketPath, request); });
}

Napi::Value OpenEventDescriptor(const Napi::CallbackInfo& info) {
  return Guard(info.Env(), [&] { return Adopt(info.Env(), OpenEvent()); });
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  Guard(info.Env(), [&] { Environment::Of(info.Env()).descriptors.Close(fd); });
  return info.Env().Undefined();
}

Napi::Value CloseAside(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  int done = Descriptor(info[1]);
  Guard(info.Env(), [&] {
    Environment& environment = Environment::Of(info.Env());
    environment.closer.Close(environment.descriptors.Release(fd), done);
  });
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

Napi::Value ReadSocketDrops(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  return Guard(info.Env(), [&] { return Napi::Number::New(info.Env(), SocketDrops(fd)); });
}

Napi::Value ReadErrors(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array errors = Napi::Array::New(env);
  for (const QueuedError& queued : ReadErrorQueue(Descriptor(info[0]))) {
    auto octets = [&](const AddressRecord& record) {
      return CopyOf(env, {record.remote, record.family == 4 ? 4u : record.family == 6 ? 16u : 0u});
    };
    Napi::Object error = Napi::Object::New(env);
    error.Set("code", ErrorName(queued.error));
    error.Set("errno", Napi::Number::New(env, queued.error));
    error.Set("info", Napi::Number::New(env, queued.info));
    error.Set("address", octets(queued.destination));
    error.Set("port", Napi::Number::New(env, ntohs(queued.destination.port)));
    error.Set("type", Napi::Number::New(env, queued.icmpType));
    error.Set("icmpCode", Napi::Number::New(env, queued.icmpCode));
    error.Set("reporter", octets(queued.reporter));
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
  define.operator()<SendByXsk>("sendByXsk");
  define.operator()<ReadFanoutGroup>("fanoutGroup");
  define.operator()<OpenUdp>("openUdp");
  define.operator()<OpenTun>("openTun");
  define.operator()<SetTunQueueAttached>("setTunQueue");
  define.operator()<OpenNetlink>("openNetlink");
  define.operator()<OpenNamespace>("openNamespace");
  define.operator()<AskHelper>("askUnitHelper");
  define.operator()<OpenEventDescriptor>("openEvent");
  define.operator()<Close>("close");
  define.operator()<CloseAside>("closeAside");
  define.operator()<Signal>("signal");
  define.operator()<Drain>("drain");
  define.operator()<CreateWatcher>("watch");
  define.operator()<SendFrame>("sendFrame");
  define.operator()<SendDatagram>("sendDatagram");
  define.operator()<ReceiveFrame>("receiveFrame");
  define.operator()<ReadSocketDrops>("socketDrops");
  define.operator()<ReadErrors>("readErrors");
  define.operator()<NetlinkTransact>("netlinkTransact");
  define.operator()<Notify>("notify");
  return exports;
}

}  // namespace

}  // namespace lacewing

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) { return lacewing::Init(env, exports); }
NODE_API_MODULE(lacewing, InitAddon)
