#include "netns.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "failure.h"

namespace frames {

Netns::Netns(const std::string& path) : fd_(Must(open(path.c_str(), O_RDONLY | O_CLOEXEC), path)) {}

Netns::~Netns() { close(fd_); }

void Netns::Enter() const { Must(setns(fd_, CLONE_NEWNET), "entering a network namespace"); }

int IndexOf(const std::string& device) {
  int index = static_cast<int>(if_nametoindex(device.c_str()));
  if (index == 0) Must(-1, device);
  return index;
}

namespace {

void Ask(unsigned long what, ifreq& request, const std::string& device) {
  std::strncpy(request.ifr_name, device.c_str(), IFNAMSIZ - 1);
  int fd = Must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  int result = ioctl(fd, what, &request);
  close(fd);
  Must(result, device);
}

}  // namespace

Mac MacOf(const std::string& device) {
  ifreq request{};
  Ask(SIOCGIFHWADDR, request, device);
  Mac mac;
  std::copy_n(reinterpret_cast<uint8_t*>(request.ifr_hwaddr.sa_data), mac.size(), mac.begin());
  return mac;
}

void TakeRedirectedFrames(const std::string& device) {
  ethtool_value on{ETHTOOL_SGRO, 1};
  ifreq request{};
  request.ifr_data = reinterpret_cast<char*>(&on);
  Ask(SIOCETHTOOL, request, device);
}

}  // namespace frames
