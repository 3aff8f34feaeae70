#include "xsk-outlet.h"

#include <linux/if_ether.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <time.h>

#include <map>
#include <utility>

#include "vlan-tag.h"

namespace lacewing {

namespace {

// How long a change of the MTU may stay unknown.
constexpr int64_t kRefreshMs = 100;

// Costs a few nanoseconds, and is right to some milliseconds.
int64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::mutex outletsMutex;

// Never ended: threads may send until the very end of the process.
std::map<int, std::shared_ptr<XskOutlet>>& Outlets() {
  static auto& outlets = *new std::map<int, std::shared_ptr<XskOutlet>>;
  return outlets;
}

}  // namespace

FrameLimit::FrameLimit(int fd, int ifindex) : fd_(fd), ifindex_(ifindex) { Refresh(); }

bool FrameLimit::Takes(std::span<const uint8_t> frame) const {
  if (frame.size() <= octets_) return true;
  const bool tagged = frame[12] == ETH_P_8021Q >> 8 && frame[13] == (ETH_P_8021Q & 0xff);
  return tagged && frame.size() <= octets_ + kVlanTagBytes;
}

void FrameLimit::Refresh() {
  const int64_t now = NowMs();
  if (refreshedMs_ != 0 && now - refreshedMs_ < kRefreshMs) return;
  refreshedMs_ = now;
  ifreq request{};
  request.ifr_ifindex = ifindex_;
  // of a device that is gone, what was known of it stays: sending says what is the matter
  if (ioctl(fd_, SIOCGIFNAME, &request) != 0 || ioctl(fd_, SIOCGIFMTU, &request) != 0) return;
  octets_ = static_cast<size_t>(request.ifr_mtu) + ETH_HLEN;
}

std::shared_ptr<XskOutlet> XskOutlet::Of(int packetFd) {
  std::lock_guard lock(outletsMutex);
  auto found = Outlets().find(packetFd);
  return found == Outlets().end() ? nullptr : found->second;
}

void XskOutlet::Open(int packetFd, const XskOptions& options) {
  auto outlet = std::make_shared<XskOutlet>(packetFd, options);
  std::lock_guard lock(outletsMutex);
  Outlets()[packetFd] = std::move(outlet);
}

void XskOutlet::Close(int packetFd) noexcept {
  std::shared_ptr<XskOutlet> closed;
  std::lock_guard lock(outletsMutex);
  auto found = Outlets().find(packetFd);
  if (found == Outlets().end()) return;
  // ended when others may look for theirs again: unmapping takes its time
  closed = std::move(found->second);
  Outlets().erase(found);
}

}  // namespace lacewing
