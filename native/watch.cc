// Calls back on the event loop of the environment when a descriptor is readable.

#include <node_api.h>
#include <sys/epoll.h>
#include <uv.h>

#include <cstdlib>

#include "arguments.h"
#include "environment.h"
#include "objects.h"
#include "unique-fd.h"

namespace lacewing {

// Lives from its construction until the loop has let go of its handle: ends itself.
class Watch {
 public:
  Watch(Napi::Env env, int fd, Napi::Function callback);
  void Close();

 private:
  ~Watch() = default;
  void Call();

  napi_env env_;
  // What libuv polls. The descriptor is inside: libuv would give up on one that reports EPOLLERR, as every socket with
  // something in its error queue does; and it allows one watch per descriptor.
  UniqueFd epoll_;
  uv_poll_t handle_{};
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closing_ = false;
};

Watch::Watch(Napi::Env env, int fd, Napi::Function callback)
    : env_(env),
      epoll_(Check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1", "watch")),
      callback_(Napi::Persistent(callback)),
      context_(env, "lacewing:watch") {
  epoll_event event{};
  event.events = EPOLLIN;
  Check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl", "descriptor " + std::to_string(fd));
  uv_loop_s* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  if (int error = uv_poll_init(loop, &handle_, epoll_.get()); error < 0)
    throw SystemFailure(-error, "uv_poll_init", "descriptor " + std::to_string(fd));
  handle_.data = this;
  uv_poll_start(&handle_, UV_READABLE,
                [](uv_poll_t* handle, int, int) { static_cast<Watch*>(handle->data)->Call(); });
  // the loop must have let go of the handle before the environment ends, so the environment waits for it
  napi_add_async_cleanup_hook(
      env, [](napi_async_cleanup_hook_handle, void* watch) { static_cast<Watch*>(watch)->Close(); }, this,
      &hook_);
}

void Watch::Close() {
  if (closing_) return;
  closing_ = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
    auto* watch = static_cast<Watch*>(handle->data);
    napi_remove_async_cleanup_hook(watch->hook_);
    delete watch;
  });
}

void Watch::Call() {
  Napi::HandleScope scope(env_);
  napi_value receiver, callback = callback_.Value();
  napi_get_global(env_, &receiver);
  napi_status status = napi_make_callback(env_, context_, receiver, callback, 0, nullptr, nullptr);
  if (status != napi_pending_exception) return;
  // nobody above us could catch it
  napi_value exception;
  if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) napi_fatal_exception(env_, exception);
}

Napi::Function WatcherObject::Define(Napi::Env env) {
  return DefineClass(env, "Watcher", {InstanceMethod<&WatcherObject::Close>("close")});
}

WatcherObject::WatcherObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  int fd = Descriptor(info[0]);
  if (!info[1].IsFunction()) throw Napi::TypeError::New(info.Env(), "callback must be a function");
  watch_ = Guard(info.Env(), [&] { return new Watch(info.Env(), fd, info[1].As<Napi::Function>()); });
}

Napi::Value WatcherObject::Close(const Napi::CallbackInfo& info) {
  if (watch_ != nullptr) std::exchange(watch_, nullptr)->Close();
  return info.Env().Undefined();
}

}  // namespace lacewing
