// Packets into a TUN queue, each by one writev(2). A packet may be gathered from the pieces of several descriptors.

#include <algorithm>
#include <cerrno>

#include "frame-sender.h"

namespace lacewing {

namespace {

// IOV_MAX of Linux
constexpr int kMostPieces = 1024;

// Whether the next descriptor goes on with the packet of this one.
bool HasMore(const FrameToSend& frame) { return frame.address != 0; }

}  // namespace

int FrameSender::SendTun(int fd, std::span<const FrameToSend> frames) {
  lastError_ = 0;
  iovec pieces[kMostPieces];
  size_t sent = 0;
  while (sent < frames.size()) {
    size_t next = sent;
    int count = 0;
    bool more = true;
    while (more && next < frames.size() && count + 2 <= kMostPieces && Usable(frames[next])) {
      count += Gather(frames[next], pieces + count);
      more = HasMore(frames[next++]);
    }
    if (more) {
      // not usable, cut off, or of too many pieces
      lastError_ = EFAULT;
      break;
    }
    if (writev(fd, pieces, count) >= 0) {
      sent = next;
    } else if (errno != EINTR) {
      lastError_ = errno;
      break;
    }
  }
  return static_cast<int>(sent);
}

}  // namespace lacewing
