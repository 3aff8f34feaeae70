// sd_notify(3), without libsystemd.
#pragma once

#include <string>

namespace lacewing {

// False when no service manager asked for it (NOTIFY_SOCKET is not set).
bool NotifyServiceManager(const std::string& state);

}  // namespace lacewing
