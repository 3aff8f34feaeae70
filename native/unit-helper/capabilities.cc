#include "capabilities.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "../errors.h"

namespace lacewing {

namespace {

constexpr uint32_t kNetAdmin = uint32_t{1} << CAP_NET_ADMIN;
constexpr uint32_t kSysAdmin = uint32_t{1} << CAP_SYS_ADMIN;

// Both are among the first 32; of the others there are none. Nothing is inheritable, and so nothing ambient.
int SetCapabilities(uint32_t effective) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  data[0].permitted = kNetAdmin | kSysAdmin;
  data[0].effective = effective;
  return static_cast<int>(syscall(SYS_capset, &header, data));
}

}  // namespace

void KeepCapabilities() { Check(SetCapabilities(kNetAdmin), "capset", "CAP_SYS_ADMIN and CAP_NET_ADMIN"); }

SysAdmin::SysAdmin() { Check(SetCapabilities(kNetAdmin | kSysAdmin), "capset", "CAP_SYS_ADMIN"); }

SysAdmin::~SysAdmin() {
  if (SetCapabilities(kNetAdmin) != 0) std::abort();
}

}  // namespace lacewing
