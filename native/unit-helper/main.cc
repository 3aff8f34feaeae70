// lacewing-units: opens /dev/net/tun and rtnetlink in other network namespaces for a gateway that may not
// enter them. It has CAP_SYS_ADMIN for that, and so it does nothing else: it takes a name, and hands
// descriptors over.

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "../errors.h"
#include "capabilities.h"
#include "listener.h"
#include "options.h"
#include "server.h"

namespace {

// For one answer, twice over; and so many may be on their way to clients.
constexpr rlim_t kMostDescriptors = 512;

}  // namespace

int main(int count, char** words) {
  using namespace lacewing;
  try {
    HelperOptions options = ReadHelperOptions(count, words);
    UniqueFd listener = OpenListener(options);
    rlimit descriptors{kMostDescriptors, kMostDescriptors};
    Check(setrlimit(RLIMIT_NOFILE, &descriptors), "setrlimit", "RLIMIT_NOFILE");
    KeepCapabilities();
    // who is refused is told of on standard error, which may be a pipe that nobody reads any more
    std::signal(SIGPIPE, SIG_IGN);
    ServeRequests(listener.get(), options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lacewing-units: %s\n", error.what());
    return 1;
  }
}
