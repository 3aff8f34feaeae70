// The classes that JavaScript sees: Region, Receiver, Poller, Watcher.
#pragma once

#include <napi.h>

#include <memory>

#include "frame-sender.h"
#include "frame-source.h"
#include "mapping.h"
#include "poller.h"

namespace lacewing {

class RegionObject : public Napi::ObjectWrap<RegionObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit RegionObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value Allocate(const Napi::CallbackInfo& info);
  Napi::Value PacketReceiver(const Napi::CallbackInfo& info);
  Napi::Value UdpReceiver(const Napi::CallbackInfo& info);
  Napi::Value TunReceiver(const Napi::CallbackInfo& info);
  Napi::Value SendPacket(const Napi::CallbackInfo& info);
  Napi::Value SendUdp(const Napi::CallbackInfo& info);
  Napi::Value SendTun(const Napi::CallbackInfo& info);
  Napi::Value Sum(const Napi::CallbackInfo& info);
  Napi::Value LastErrno(const Napi::CallbackInfo& info);

  std::shared_ptr<Mapping> mapping_;
  std::unique_ptr<FrameSender> sender_;
};

class ReceiverObject : public Napi::ObjectWrap<ReceiverObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  static Napi::Value New(Napi::Env env, std::unique_ptr<FrameSource> source);
  explicit ReceiverObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value Receive(const Napi::CallbackInfo& info);
  Napi::Value Release(const Napi::CallbackInfo& info);
  Napi::Value Overflows(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::unique_ptr<FrameSource> source_;  // null once closed
};

class PollerObject : public Napi::ObjectWrap<PollerObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit PollerObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value WakeFd(const Napi::CallbackInfo& info);
  Napi::Value Add(const Napi::CallbackInfo& info);
  Napi::Value Remove(const Napi::CallbackInfo& info);
  Napi::Value Wait(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  EpollPoller& Open(Napi::Env env);

  std::unique_ptr<EpollPoller> poller_;  // null once closed
  bool wokenToEnd_ = false;              // whoever ends the thread signals the poller
};

class Watch;

class WatcherObject : public Napi::ObjectWrap<WatcherObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit WatcherObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value Close(const Napi::CallbackInfo& info);

  Watch* watch_;  // ends itself; null once closed
};

}  // namespace lacewing
