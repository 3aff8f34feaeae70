// Packet sockets whose frames leave by an AF_XDP socket of the same device instead: known by their descriptor, to all
// threads, until it is closed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "xsk-socket.h"

namespace lacewing {

// The largest frame of a device: its MTU and an Ethernet header. AF_XDP would hand larger ones to the driver.
class FrameLimit {
 public:
  // `fd`: a packet socket, in the namespace of the device.
  FrameLimit(int fd, int ifindex);

  // As packet sockets have it: an 802.1Q tag, the outermost, is free. `frame`: an Ethernet header at least.
  bool Takes(std::span<const uint8_t> frame) const;
  // The MTU may have changed: asks again when that was some time ago.
  void Refresh();

 private:
  int fd_;
  int ifindex_;
  size_t octets_ = 0;
  int64_t refreshedMs_ = 0;
};

struct XskOutlet {
  XskOutlet(int packetFd, const XskOptions& options)
      : slotBytes(options.slotBytes), limit(packetFd, options.ifindex), socket(options) {}

  // Null when the frames of this descriptor leave through itself.
  static std::shared_ptr<XskOutlet> Of(int packetFd);
  // Throws what XskSocket does.
  static void Open(int packetFd, const XskOptions& options);
  // Before the descriptor is closed.
  static void Close(int packetFd) noexcept;

  // A worker and the control plane's thread send through one descriptor.
  std::mutex mutex;
  // False: the socket does not reach the device any more. It is empty then, and nothing comes into it.
  std::atomic<bool> usable = true;
  const size_t slotBytes;
  FrameLimit limit;
  XskSocket socket;
};

}  // namespace lacewing
