// What a unit in another network namespace is made with. Nothing else needs anybody to be there: TUNSETIFF
// makes a device in the namespace that /dev/net/tun was opened in, and rtnetlink speaks of the one that its
// socket was opened in. Both ask for the CAP_NET_ADMIN of who uses them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unique-fd.h"

namespace lacewing {

struct NamespaceFiles {
  UniqueFd netlink;            // rtnetlink
  std::vector<UniqueFd> tuns;  // /dev/net/tun, one for each queue that a device is to have
};

// Opens them in the namespace at `netnsPath`, which takes CAP_SYS_ADMIN; in this one when it is empty.
NamespaceFiles OpenNamespaceFiles(const std::string& netnsPath, uint32_t tuns);

}  // namespace lacewing
