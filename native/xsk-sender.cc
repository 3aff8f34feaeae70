// Batches of frames by an AF_XDP socket. The copy into its slots takes the place of the one that the kernel makes of what a
// message points at.

#include <net/ethernet.h>

#include <cerrno>
#include <cstring>

#include "frame-sender.h"

namespace lacewing {

int FrameSender::AddXsk(XskOutlet& outlet, const FrameToSend& frame) {
  if (!Usable(frame)) return EFAULT;
  const auto headBytes = static_cast<size_t>(frame.headLength);
  const auto bodyBytes = static_cast<size_t>(frame.bodyLength);
  const size_t length = headBytes + bodyBytes;
  if (length < ETH_HLEN) return EINVAL;
  if (length > outlet.slotBytes) return EMSGSIZE;
  uint8_t* slot = outlet.socket.Slot();
  if (slot == nullptr) return outlet.socket.settled() ? EAGAIN : outlet.socket.error();
  std::memcpy(slot, mapping_->data() + frame.headOffset, headBytes);
  std::memcpy(slot + headBytes, mapping_->data() + frame.bodyOffset, bodyBytes);
  if (!outlet.limit.Takes({slot, length})) return EMSGSIZE;
  outlet.socket.Add(length);
  return 0;
}

int FrameSender::SendXsk(XskOutlet& outlet, std::span<const FrameToSend> frames) {
  lastError_ = 0;
  std::lock_guard lock(outlet.mutex);
  outlet.limit.Refresh();
  size_t sent = 0;
  while (outlet.usable && sent < frames.size() && lastError_ == 0) {
    // after a refusal one at a time, until one is taken: what is refused costs calls for each that goes with it
    const size_t most = outlet.socket.error() == 0 ? frames.size() - sent : 1;
    size_t added = 0;
    int refusal = 0;
    while (refusal == 0 && added < most) {
      refusal = AddXsk(outlet, frames[sent + added]);
      if (refusal == 0) added += 1;
    }
    const size_t taken = added == 0 ? 0 : outlet.socket.Flush();
    sent += taken;
    if (taken < added) {
      lastError_ = outlet.socket.error();
    } else if (added == 0 || refusal != EAGAIN) {
      // when all slots were full, those that were on the way may have made room
      lastError_ = refusal;
    }
    if (lastError_ == ENXIO) outlet.usable = false;
  }
  return static_cast<int>(sent);
}

}  // namespace lacewing
