// XdpAddon of src/io/xdp.ts.

#include <napi.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../arguments.h"
#include "program.h"

namespace lacewing::xdp {

namespace {

// As Guard() of arguments.h, with what the kernel said.
template <typename Body>
auto Try(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const Refusal& refusal) {
    Napi::Error error = ToError(env, refusal);
    error.Set("log", Napi::String::New(env, refusal.log()));
    throw error;
  } catch (const SystemFailure& failure) {
    throw ToError(env, failure);
  }
}

struct Classes {
  Napi::FunctionReference program, link;
};

class LinkObject : public Napi::ObjectWrap<LinkObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "XdpLink",
        {InstanceAccessor<&LinkObject::GetMode>("mode"), InstanceMethod<&LinkObject::Close>("close")});
  }

  static Napi::Value New(Napi::Env env, std::shared_ptr<Link> link) {
    auto external = Napi::External<std::shared_ptr<Link>>::New(env, &link);
    return env.GetInstanceData<Classes>()->link.New({external});
  }

  explicit LinkObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "attach() makes links");
    link_ = *info[0].As<Napi::External<std::shared_ptr<Link>>>().Data();
  }

 private:
  Napi::Value GetMode(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), link_->mode == Mode::kNative ? "native" : "generic");
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    link_->fd = UniqueFd();
    return info.Env().Undefined();
  }

  std::shared_ptr<Link> link_;
};

class ProgramObject;

// Waits on a thread of libuv's for everybody who has asked so far.
class Waiter : public Napi::AsyncWorker {
 public:
  Waiter(ProgramObject& program, std::vector<Napi::Promise::Deferred> asked);

 protected:
  void Execute() override;
  void OnOK() override;
  void OnError(const Napi::Error& error) override;

 private:
  ProgramObject& program_;
  // the object must be there when the wait is over
  Napi::ObjectReference held_;
  std::shared_ptr<const GracePeriods> grace_;
  std::vector<Napi::Promise::Deferred> asked_;
  std::unique_ptr<SystemFailure> failure_;
};

class ProgramObject : public Napi::ObjectWrap<ProgramObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "XdpProgram",
                       {
                           InstanceMethod<&ProgramObject::Attach>("attach"),
                           InstanceMethod<&ProgramObject::AddDevice>("addDevice"),
                           InstanceMethod<&ProgramObject::Synchronize>("synchronize"),
                           InstanceMethod<&ProgramObject::TestRun>("testRun"),
                           InstanceMethod<&ProgramObject::Close>("close"),
                       });
  }

  explicit ProgramObject(const Napi::CallbackInfo& info);

  const std::shared_ptr<const GracePeriods>& grace() const { return grace_; }
  // The waiter has settled its promises; those of the ones who asked meanwhile are next.
  void Waited();

 private:
  Napi::Value Attach(const Napi::CallbackInfo& info);
  Napi::Value AddDevice(const Napi::CallbackInfo& info);
  Napi::Value Synchronize(const Napi::CallbackInfo& info);
  Napi::Value TestRun(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  const Program& Loaded(Napi::Env env) const;

  std::unique_ptr<Program> program_;  // null once closed
  std::shared_ptr<const GracePeriods> grace_;
  // whether JavaScript keeps its object or not: a link ends when it says so
  std::vector<std::shared_ptr<Link>> links_;
  std::vector<Napi::Promise::Deferred> asked_;
  bool waiting_ = false;
};

Waiter::Waiter(ProgramObject& program, std::vector<Napi::Promise::Deferred> asked)
    : AsyncWorker(program.Env()),
      program_(program),
      held_(Napi::Persistent(program.Value())),
      grace_(program.grace()),
      asked_(std::move(asked)) {}

void Waiter::Execute() {
  try {
    grace_->Wait();
  } catch (const SystemFailure& failure) {
    failure_ = std::make_unique<SystemFailure>(failure);
  }
}

void Waiter::OnOK() {
  for (Napi::Promise::Deferred& deferred : asked_) {
    if (failure_ == nullptr)
      deferred.Resolve(Env().Undefined());
    else
      deferred.Reject(ToError(Env(), *failure_).Value());
  }
  program_.Waited();
}

void Waiter::OnError(const Napi::Error& error) {
  for (Napi::Promise::Deferred& deferred : asked_) deferred.Reject(error.Value());
  program_.Waited();
}

Sizes ReadSizes(const Napi::Object& options) {
  auto size = [&](const char* key, int64_t max) {
    return static_cast<uint32_t>(Integer(options, key, 1, max));
  };
  return {
      .interfaces = size("interfaces", 1 << 24),
      .ports = size("ports", 1 << 12),
      .tunnels = size("tunnels", 1 << 17),
      .sessionPages = size("sessionPages", 1 << 22),
      .channels = size("channels", 1 << 22),
      .peers = size("peers", 1 << 22),
      .peerSlots = size("peerSlots", 1 << 23),
  };
}

Napi::Value TableBuffer(Napi::Env env, const std::shared_ptr<Table>& table) {
  // the view holds the mapping by itself: it may outlive the program
  auto* held = new std::shared_ptr<Table>(table);
  std::span<uint8_t> memory = table->memory();
  return Napi::ArrayBuffer::New(
      env, memory.data(), memory.size(),
      [](Napi::Env, void*, std::shared_ptr<Table>* table) { delete table; }, held);
}

ProgramObject::ProgramObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  Sizes sizes = ReadSizes(Options(info[0]));
  bool plain = info[1].ToBoolean();
  Try(env, [&] {
    program_ = std::make_unique<Program>(sizes, plain);
    grace_ = std::make_shared<const GracePeriods>();
  });
  Napi::Object tables = Napi::Object::New(env);
  const auto& made = program_->tables();
  auto give = [&](const char* name, const char* table) {
    tables.Set(name, TableBuffer(env, made.at(table)));
  };
  give("interfaces", "interfaces");
  give("access", "access");
  give("tunnels", "tunnels");
  give("directories", "directories");
  give("sessions", "sessions");
  give("channels", "channels");
  give("peerSlots", "peer_slots");
  give("peers", "peers");
  give("counters", "counts");
  auto property = [&](const char* name, Napi::Value value) {
    Value().DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_enumerable));
  };
  property("tables", tables);
  property("quick", Napi::Boolean::New(env, program_->quick()));
  property("cpus", Napi::Number::New(env, program_->cpus()));
}

const Program& ProgramObject::Loaded(Napi::Env env) const {
  if (program_ == nullptr) throw ToError(env, SystemFailure(EBADF, "bpf", "closed XDP program"));
  return *program_;
}

Napi::Value ProgramObject::Attach(const Napi::CallbackInfo& info) {
  const Program& program = Loaded(info.Env());
  int ifindex = static_cast<int>(Integer(info[0], "ifindex", 1, INT32_MAX));
  std::string name = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "";
  std::optional<Mode> mode;
  if (name == "native")
    mode = Mode::kNative;
  else if (name == "generic")
    mode = Mode::kGeneric;
  else if (name != "auto")
    throw Napi::TypeError::New(info.Env(), "mode must be \"native\", \"generic\" or \"auto\"");
  auto link = Try(info.Env(), [&] { return std::make_shared<Link>(program.Attach(ifindex, mode)); });
  std::erase_if(links_, [](const std::shared_ptr<Link>& other) { return other->fd.get() < 0; });
  links_.push_back(link);
  return LinkObject::New(info.Env(), std::move(link));
}

Napi::Value ProgramObject::AddDevice(const Napi::CallbackInfo& info) {
  const Program& program = Loaded(info.Env());
  int ifindex = static_cast<int>(Integer(info[0], "ifindex", 1, INT32_MAX));
  Try(info.Env(), [&] { program.AddDevice(ifindex); });
  return info.Env().Undefined();
}

Napi::Value ProgramObject::Synchronize(const Napi::CallbackInfo& info) {
  auto deferred = Napi::Promise::Deferred::New(info.Env());
  asked_.push_back(deferred);
  if (!waiting_) Waited();
  return deferred.Promise();
}

void ProgramObject::Waited() {
  waiting_ = !asked_.empty();
  if (!waiting_) return;
  // frees itself
  (new Waiter(*this, std::exchange(asked_, {})))->Queue();
}

Napi::Value ProgramObject::TestRun(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const Program& program = Loaded(env);
  std::span<uint8_t> frame = Octets(info[0], "frame");
  int ifindex = info[1].IsUndefined() ? 1 : static_cast<int>(Integer(info[1], "ifindex", 1, INT32_MAX));
  auto repeat = info[2].IsUndefined() ? 1u : static_cast<uint32_t>(Integer(info[2], "repeat", 1, 1 << 30));
  Verdict verdict = Try(env, [&] { return program.TestRun(frame, ifindex, repeat); });
  Napi::Object result = Napi::Object::New(env);
  Napi::Uint8Array copy = Napi::Uint8Array::New(env, verdict.frame.size());
  std::copy(verdict.frame.begin(), verdict.frame.end(), copy.Data());
  result.Set("action", Napi::Number::New(env, verdict.action));
  result.Set("frame", copy);
  result.Set("nanoseconds", Napi::Number::New(env, verdict.nanoseconds));
  return result;
}

Napi::Value ProgramObject::Close(const Napi::CallbackInfo& info) {
  for (const std::shared_ptr<Link>& link : links_) link->fd = UniqueFd();
  links_.clear();
  program_.reset();
  return info.Env().Undefined();
}

Napi::Value Load(const Napi::CallbackInfo& info) {
  return info.Env().GetInstanceData<Classes>()->program.New({info[0], info[1]});
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* classes = new Classes;
  env.SetInstanceData(classes);
  classes->program = Napi::Persistent(ProgramObject::Define(env));
  classes->link = Napi::Persistent(LinkObject::Define(env));
  exports.Set("load", Napi::Function::New<Load>(env, "load"));
  return exports;
}

}  // namespace

}  // namespace lacewing::xdp

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) {
  return lacewing::xdp::Init(env, exports);
}
NODE_API_MODULE(lacewing_xdp, InitAddon)
