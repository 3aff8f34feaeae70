#include <algorithm>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "objects.h"
#include "options.h"
#include "sums.h"
#include "tun.h"

namespace lacewing {

namespace {

// The frames of a batch that the array really has.
std::span<FrameToSend> FramesToSend(const Napi::CallbackInfo& info) {
  std::span<int32_t> numbers = Int32s(info.Env(), info[1]);
  int64_t count = info[2].IsNumber() ? info[2].As<Napi::Number>().Int64Value() : 0;
  size_t most = numbers.size() / (sizeof(FrameToSend) / sizeof(int32_t));
  return {reinterpret_cast<FrameToSend*>(numbers.data()),
          std::min(most, static_cast<size_t>(std::max<int64_t>(count, 0)))};
}

int DescriptorOfBatch(const Napi::CallbackInfo& info) {
  return info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : -1;
}

struct Slots {
  uint32_t count;
  uint32_t bytes;
};

Slots ReadSlots(const Napi::CallbackInfo& info) {
  return {static_cast<uint32_t>(Integer(info[1], "slots", 1, 1 << 16)),
          static_cast<uint32_t>(Integer(info[2], "slotBytes", 64, 1 << 17))};
}

}  // namespace

Napi::Function RegionObject::Define(Napi::Env env) {
  return DefineClass(env, "Region",
                     {
                         InstanceMethod<&RegionObject::Allocate>("allocate"),
                         InstanceMethod<&RegionObject::PacketReceiver>("packetReceiver"),
                         InstanceMethod<&RegionObject::UdpReceiver>("udpReceiver"),
                         InstanceMethod<&RegionObject::TunReceiver>("tunReceiver"),
                         InstanceMethod<&RegionObject::SendPacket>("sendPacket"),
                         InstanceMethod<&RegionObject::SendUdp>("sendUdp"),
                         InstanceMethod<&RegionObject::SendTun>("sendTun"),
                         InstanceMethod<&RegionObject::Sum>("sum"),
                         InstanceAccessor<&RegionObject::LastErrno>("lastErrno"),
                     });
}

RegionObject::RegionObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  auto bytes = static_cast<size_t>(Integer(info[0], "bytes", 1, kLargestMapping));
  mapping_ = Guard(env, [&] { return std::make_shared<Mapping>(bytes); });
  sender_ = std::make_unique<FrameSender>(mapping_);
  // the view holds the mapping by itself: it may outlive this object and every receiver
  auto* held = new std::shared_ptr<Mapping>(mapping_);
  auto buffer = Napi::ArrayBuffer::New(
      env, mapping_->data(), mapping_->size(),
      [](Napi::Env, void*, std::shared_ptr<Mapping>* mapping) { delete mapping; }, held);
  Value().DefineProperty(Napi::PropertyDescriptor::Value(
      "bytes", Napi::Uint8Array::New(env, mapping_->size(), buffer, 0), napi_enumerable));
}

Napi::Value RegionObject::Allocate(const Napi::CallbackInfo& info) {
  auto size = static_cast<size_t>(Integer(info[0], "size", 1, kLargestMapping));
  return Guard(info.Env(), [&] {
    return Napi::Number::New(info.Env(), static_cast<double>(mapping_->Allocate(size)));
  });
}

Napi::Value RegionObject::PacketReceiver(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  PacketOptions options = ReadPacketOptions(Options(info[1]));
  if (options.ringSlots == 0) throw Napi::RangeError::New(info.Env(), "ringSlots is 0: there is no ring");
  return Guard(info.Env(),
               [&] { return ReceiverObject::New(info.Env(), MapPacketRing(mapping_, fd, options)); });
}

Napi::Value RegionObject::UdpReceiver(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  Slots slots = ReadSlots(info);
  return Guard(info.Env(), [&] {
    return ReceiverObject::New(info.Env(), MakeUdpReceiver(mapping_, fd, slots.count, slots.bytes));
  });
}

Napi::Value RegionObject::TunReceiver(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  auto octets = [&](int i, const char* name, int64_t least) {
    return static_cast<size_t>(Integer(info[i], name, least, kLargestMapping - 1));
  };
  TunBuffers buffers{octets(1, "area", 0), octets(2, "areaBytes", 1), octets(3, "largestBytes", 64),
                     octets(4, "headroomBytes", 0)};
  if (buffers.area + buffers.areaBytes > mapping_->size() ||
      buffers.headroomBytes + buffers.largestBytes > buffers.areaBytes)
    throw Napi::RangeError::New(info.Env(), "the area is not in the region, or has no room for a packet");
  return Guard(info.Env(), [&] {
    return ReceiverObject::New(info.Env(), MakeTunReceiver(mapping_, fd, buffers));
  });
}

Napi::Value RegionObject::SendPacket(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sender_->SendPacket(DescriptorOfBatch(info), FramesToSend(info)));
}

Napi::Value RegionObject::SendUdp(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sender_->SendUdp(DescriptorOfBatch(info), FramesToSend(info),
                                                        Octets(info[3], "addresses")));
}

Napi::Value RegionObject::SendTun(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sender_->SendTun(DescriptorOfBatch(info), FramesToSend(info)));
}

Napi::Value RegionObject::Sum(const Napi::CallbackInfo& info) {
  std::span<int32_t> numbers = Int32s(info.Env(), info[0]);
  int64_t wanted = info[1].IsNumber() ? info[1].As<Napi::Number>().Int64Value() : 0;
  size_t count = std::min(numbers.size() / (sizeof(SummedRange) / sizeof(int32_t)),
                          static_cast<size_t>(std::max<int64_t>(wanted, 0)));
  for (SummedRange& range : std::span(reinterpret_cast<SummedRange*>(numbers.data()), count))
    range.sum = mapping_->Contains(range.offset, range.length)
                    ? OnesComplementSum(mapping_->data() + range.offset, static_cast<size_t>(range.length))
                    : -1;
  return info.Env().Undefined();
}

Napi::Value RegionObject::LastErrno(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sender_->lastError());
}

}  // namespace lacewing
