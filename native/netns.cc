#include "netns.h"

#include <fcntl.h>
#include <sched.h>

#include <exception>
#include <thread>

#include "errors.h"
#include "unique-fd.h"

namespace lacewing {

void InNetworkNamespace(const std::string& path, const std::function<void()>& body) {
  if (path.empty()) return body();
  std::exception_ptr failure;
  std::thread([&] {
    try {
      UniqueFd space(Check(open(path.c_str(), O_RDONLY | O_CLOEXEC), "open", path));
      Check(setns(space.get(), CLONE_NEWNET), "setns", path);
      body();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace lacewing
