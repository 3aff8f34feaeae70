#include "namespace-promise.h"

#include <optional>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "errors.h"

namespace lacewing {

namespace {

class Opening : public Napi::AsyncWorker {
 public:
  Opening(Napi::Env env, std::function<NamespaceFiles()> open)
      : Napi::AsyncWorker(env), promise_(Napi::Promise::Deferred::New(env)), open_(std::move(open)) {}

  Napi::Value promise() const { return promise_.Promise(); }

 private:
  void Execute() override {
    try {
      files_ = open_();
    } catch (const SystemFailure& failure) {
      failure_ = failure;
      SetError(failure.what());
    }
  }

  void OnOK() override {
    Descriptors& descriptors = Environment::Of(Env()).descriptors;
    Napi::Array tuns = Napi::Array::New(Env());
    for (UniqueFd& tun : files_.tuns) tuns.Set(tuns.Length(), descriptors.Adopt(std::move(tun)));
    Napi::Object result = Napi::Object::New(Env());
    result.Set("netlink", descriptors.Adopt(std::move(files_.netlink)));
    result.Set("tuns", tuns);
    promise_.Resolve(result);
  }

  void OnError(const Napi::Error& error) override {
    promise_.Reject(failure_ ? ToError(Env(), *failure_).Value() : error.Value());
  }

  Napi::Promise::Deferred promise_;
  std::function<NamespaceFiles()> open_;
  NamespaceFiles files_;
  std::optional<SystemFailure> failure_;
};

}  // namespace

Napi::Value PromiseNamespaceFiles(Napi::Env env, std::function<NamespaceFiles()> open) {
  // it deletes itself
  auto* opening = new Opening(env, std::move(open));
  Napi::Value promise = opening->promise();
  opening->Queue();
  return promise;
}

}  // namespace lacewing
