#include <algorithm>
#include <chrono>
#include <climits>
#include <optional>

#include "arguments.h"
#include "environment.h"
#include "objects.h"

namespace lacewing {

namespace {

using SteadyClock = std::chrono::steady_clock;

// How long a thread may stay in the kernel before it looks whether JavaScript was told to end: terminating a worker
// (or the process, which waits for its workers) does not interrupt a system call. Whoever has given the poller its
// eventfd uses that to end the thread, and an idle thread of his sleeps on.
constexpr int kLongestSliceMs = 250;

// Any call that could run JavaScript would do: they are refused from then on. This one runs none, so that the order to
// end is still there for the code that we return to.
bool MayRunJavaScript(napi_env env, napi_value self) {
  void* poller;
  return napi_unwrap(env, self, &poller) == napi_ok;
}

}  // namespace

Napi::Function PollerObject::Define(Napi::Env env) {
  return DefineClass(env, "Poller",
                     {
                         InstanceAccessor<&PollerObject::WakeFd>("wakeFd"),
                         InstanceMethod<&PollerObject::Add>("add"),
                         InstanceMethod<&PollerObject::Remove>("remove"),
                         InstanceMethod<&PollerObject::Wait>("wait"),
                         InstanceMethod<&PollerObject::Close>("close"),
                     });
}

PollerObject::PollerObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  std::optional<int> wakeFd;
  if (!info[0].IsUndefined()) wakeFd = Descriptor(info[0]);
  wokenToEnd_ = wakeFd.has_value();
  poller_ = Guard(info.Env(), [&] { return std::make_unique<EpollPoller>(wakeFd); });
}

EpollPoller& PollerObject::Open(Napi::Env env) {
  if (poller_ == nullptr) throw ToError(env, SystemFailure(EBADF, "epoll_wait", "closed poller"));
  return *poller_;
}

Napi::Value PollerObject::WakeFd(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), poller_ == nullptr ? -1 : poller_->wakeFd());
}

Napi::Value PollerObject::Add(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  auto token = static_cast<int32_t>(Integer(info[1], "token", 0, INT32_MAX));
  bool input = info[2].IsUndefined() || info[2].ToBoolean();
  Guard(info.Env(), [&] { Open(info.Env()).Add(fd, token, input); });
  return info.Env().Undefined();
}

Napi::Value PollerObject::Remove(const Napi::CallbackInfo& info) {
  int fd = Descriptor(info[0]);
  Guard(info.Env(), [&] { Open(info.Env()).Remove(fd); });
  return info.Env().Undefined();
}

Napi::Value PollerObject::Wait(const Napi::CallbackInfo& info) {
  EpollPoller& poller = Open(info.Env());
  // a timeout that is not a whole number of milliseconds ends late rather than early
  double timeout = info[0].IsNumber() ? std::max(-1.0, info[0].As<Napi::Number>().DoubleValue()) : -1.0;
  std::span<int32_t> numbers = Int32s(info.Env(), info[1]);
  std::span<ReadyDescriptor> ready(reinterpret_cast<ReadyDescriptor*>(numbers.data()), numbers.size() / 2);
  // what is ready would never be told, and the wait never last
  if (ready.empty()) throw Napi::RangeError::New(info.Env(), "ready has no room for a pair");
  const bool forEver = timeout < 0 || timeout > INT_MAX;
  const auto end = SteadyClock::now() + std::chrono::duration<double, std::milli>(forEver ? 0 : timeout);
  for (;;) {
    double leftMs = std::chrono::duration<double, std::milli>(end - SteadyClock::now()).count();
    const int longestMs = wokenToEnd_ ? INT_MAX : kLongestSliceMs;
    int sliceMs = !forEver     ? static_cast<int>(std::clamp(leftMs + 0.999, 0.0, double(longestMs)))
                  : wokenToEnd_ ? -1
                                : longestMs;
    bool woken = false;
    int pairs = Guard(info.Env(), [&] { return poller.Wait(sliceMs, ready, &woken); });
    if (pairs > 0 || woken || (!forEver && SteadyClock::now() >= end))
      return Napi::Number::New(info.Env(), pairs);
    if (!MayRunJavaScript(info.Env(), info.This())) return Napi::Value();
  }
}

Napi::Value PollerObject::Close(const Napi::CallbackInfo& info) {
  poller_.reset();
  return info.Env().Undefined();
}

}  // namespace lacewing
