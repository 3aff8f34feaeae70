#include <algorithm>
#include <cerrno>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "objects.h"

namespace lacewing {

Napi::Function ReceiverObject::Define(Napi::Env env) {
  return DefineClass(env, "Receiver",
                     {
                         InstanceMethod<&ReceiverObject::Receive>("receive"),
                         InstanceMethod<&ReceiverObject::Release>("release"),
                         InstanceMethod<&ReceiverObject::Overflows>("overflows"),
                         InstanceMethod<&ReceiverObject::Close>("close"),
                     });
}

Napi::Value ReceiverObject::New(Napi::Env env, std::unique_ptr<FrameSource> source) {
  return Environment::Of(env).receiver.New({Napi::External<std::unique_ptr<FrameSource>>::New(env, &source)});
}

ReceiverObject::ReceiverObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "a Receiver is made by a Region");
  source_ = std::move(*info[0].As<Napi::External<std::unique_ptr<FrameSource>>>().Data());
}

Napi::Value ReceiverObject::Receive(const Napi::CallbackInfo& info) {
  std::span<int32_t> numbers = Int32s(info.Env(), info[0]);
  int64_t wanted = info[1].IsNumber() ? info[1].As<Napi::Number>().Int64Value() : 0;
  auto room = static_cast<int64_t>(numbers.size() / (sizeof(ReceivedFrame) / sizeof(int32_t)));
  int max = static_cast<int>(std::clamp<int64_t>(wanted, 0, room));
  int received = source_ == nullptr
                     ? -EBADF
                     : source_->Receive(reinterpret_cast<ReceivedFrame*>(numbers.data()), max);
  return Napi::Number::New(info.Env(), received);
}

Napi::Value ReceiverObject::Release(const Napi::CallbackInfo& info) {
  if (source_ != nullptr) source_->Release();
  return info.Env().Undefined();
}

Napi::Value ReceiverObject::Overflows(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), source_ == nullptr ? 0 : source_->Overflows());
}

Napi::Value ReceiverObject::Close(const Napi::CallbackInfo& info) {
  source_.reset();
  return info.Env().Undefined();
}

}  // namespace lacewing
