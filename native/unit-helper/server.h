// Answers requests, one after the other.
#pragma once

#include "options.h"

namespace lacewing {

// Until the process is ended. Throws a SystemFailure when no more connections can be accepted.
[[noreturn]] void ServeRequests(int listener, const HelperOptions& options);

}  // namespace lacewing
