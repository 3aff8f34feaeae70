#include "frame-sender.h"

#include <algorithm>
#include <cerrno>

namespace lacewing {

int FrameSender::Gather(const FrameToSend& frame, iovec* pieces) const {
  int count = 0;
  if (frame.headLength > 0)
    pieces[count++] = {mapping_->data() + frame.headOffset, static_cast<size_t>(frame.headLength)};
  if (frame.bodyLength > 0)
    pieces[count++] = {mapping_->data() + frame.bodyOffset, static_cast<size_t>(frame.bodyLength)};
  return count;
}

int FrameSender::SendPacket(int fd, std::span<const FrameToSend> frames) {
  std::shared_ptr<XskOutlet> outlet = XskOutlet::Of(fd);
  if (outlet == nullptr) return SendMessages(fd, frames);
  const int taken = SendXsk(*outlet, frames);
  if (outlet->usable) return taken;
  return taken + SendMessages(fd, frames.subspan(static_cast<size_t>(taken)));
}

int FrameSender::SendMessages(int fd, std::span<const FrameToSend> frames) {
  lastError_ = 0;
  size_t sent = 0;
  while (sent < frames.size()) {
    int prepared = 0;
    int end = static_cast<int>(std::min<size_t>(kBatch, frames.size() - sent));
    for (; prepared < end && Usable(frames[sent + prepared]); prepared++) {
      msghdr& message = messages_[prepared].msg_hdr;
      message = {};
      message.msg_iov = &pieces_[2 * prepared];
      message.msg_iovlen = Gather(frames[sent + prepared], message.msg_iov);
    }
    if (prepared == 0) {
      lastError_ = EFAULT;
      break;
    }
    int taken = sendmmsg(fd, messages_.data(), prepared, MSG_DONTWAIT);
    if (taken > 0) {
      // if fewer than prepared, the next round meets the error of the first that was refused
      sent += taken;
    } else if (errno != EINTR) {
      lastError_ = errno;
      break;
    }
  }
  return static_cast<int>(sent);
}

}  // namespace lacewing
