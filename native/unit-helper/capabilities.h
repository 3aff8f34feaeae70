// The helper's capabilities: the two that it needs, and CAP_SYS_ADMIN only while it needs it.
#pragma once

namespace lacewing {

// Gives up everything but CAP_NET_ADMIN, which is in effect from now on, and CAP_SYS_ADMIN, which may be
// again. Throws a SystemFailure when either is not there.
void KeepCapabilities();

// CAP_SYS_ADMIN is in effect, for this thread and those that it starts, as long as one of these is there.
class SysAdmin {
 public:
  SysAdmin();
  SysAdmin(const SysAdmin&) = delete;
  SysAdmin& operator=(const SysAdmin&) = delete;
  ~SysAdmin();
};

}  // namespace lacewing
