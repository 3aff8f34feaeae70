// How the loop's frames leave on the access side: by an AF_XDP socket, or by a packet socket where there can be none.
#pragma once

#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>

#include "../../native/xsk-socket.h"

namespace frames {

class FrameOutbox {
 public:
  // On the first queue of the device.
  explicit FrameOutbox(const std::string& access);

  // A frame of two pieces, which stay as they are until it is flushed.
  void Add(iovec head, iovec body);
  // What the system does not take is lost.
  void Flush();

 private:
  // As the loop has them: src/dataplane/loop/options.ts, native/frame-sender.h
  static constexpr uint32_t kSlots = 1024;
  static constexpr uint32_t kSlotBytes = 2048;
  static constexpr int kSocketBytes = 8 << 20;
  static constexpr size_t kMessages = 128;

  void OpenPacket(const std::string& access, int ifindex);
  void AddToRing(iovec head, iovec body);

  std::optional<lacewing::XskSocket> xsk_;
  int packet_ = -1;
  size_t messages_ = 0;
  std::array<mmsghdr, kMessages> batch_{};
  std::array<iovec, 2 * kMessages> iov_{};
};

}  // namespace frames
