// The socket that the helper is asked at.
#pragma once

#include "../unique-fd.h"
#include "options.h"

namespace lacewing {

// The one that systemd has passed to us (sd_listen_fds(3)), or one of our own at the path of the options, for
// the user's group, in place of one that was left there. Throws a SystemFailure, or a std::invalid_argument
// when there is neither.
UniqueFd OpenListener(const HelperOptions& options);

}  // namespace lacewing
