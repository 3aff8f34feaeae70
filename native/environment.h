// What belongs to one JavaScript environment (the main thread or a worker), and ends with it.
#pragma once

#include <napi.h>

#include <set>
#include <vector>

#include "closer.h"
#include "unique-fd.h"

namespace lacewing {

// The descriptors that this environment opened and has not closed yet.
class Descriptors {
 public:
  Descriptors() = default;
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
  ~Descriptors();

  int Adopt(UniqueFd fd);
  bool Owns(int fd) const { return owned_.contains(fd); }
  // Throws EBADF for what is not ours: the number may be somebody else's descriptor by now.
  void Close(int fd);
  // As Close, but gives the descriptor to who asks.
  UniqueFd Release(int fd);

 private:
  std::set<int> owned_;
};

struct Environment {
  Descriptors descriptors;
  // before the descriptors end: it signals some of them
  Closer closer;
  Napi::FunctionReference region;
  Napi::FunctionReference receiver;
  Napi::FunctionReference poller;
  Napi::FunctionReference watcher;
  // receives one frame at a time for the control plane
  std::vector<uint8_t> scratch;

  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

}  // namespace lacewing
