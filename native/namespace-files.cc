#include "namespace-files.h"

#include <fcntl.h>
#include <linux/netlink.h>

#include "errors.h"
#include "netlink.h"
#include "netns.h"

namespace lacewing {

NamespaceFiles OpenNamespaceFiles(const std::string& netnsPath, uint32_t tuns) {
  NamespaceFiles files;
  InNetworkNamespace(netnsPath, [&] {
    files.netlink = OpenNetlinkSocket("", 0, NETLINK_ROUTE);
    while (files.tuns.size() < tuns)
      files.tuns.emplace_back(
          Check(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "open", "/dev/net/tun"));
  });
  return files;
}

}  // namespace lacewing
