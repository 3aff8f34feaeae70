#include "loop-io-frames.h"

#include <linux/if_packet.h>

#include <cstdio>
#include <cstring>

#include "../../native/errors.h"
#include "failure.h"
#include "netns.h"

namespace frames {

FrameOutbox::FrameOutbox(const std::string& access) {
  int ifindex = IndexOf(access);
  try {
    xsk_.emplace(lacewing::XskOptions{ifindex, access, 0, kSlots, kSlotBytes, kSocketBytes});
  } catch (const lacewing::SystemFailure& refused) {
    std::fprintf(stderr, "loop-io sends by a packet socket: %s\n", refused.what());
    OpenPacket(access, ifindex);
  }
}

// Receives nothing, and nobody polls it.
void FrameOutbox::OpenPacket(const std::string& access, int ifindex) {
  packet_ = Must(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "sending packet socket");
  int bytes = kSocketBytes;
  Must(setsockopt(packet_, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes), "SO_SNDBUFFORCE");
  int bypass = 1;
  Must(setsockopt(packet_, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass), "PACKET_QDISC_BYPASS");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = ifindex;
  Must(bind(packet_, reinterpret_cast<sockaddr*>(&address), sizeof address), "binding to " + access);
}

void FrameOutbox::Add(iovec head, iovec body) {
  if (xsk_) return AddToRing(head, body);
  if (messages_ == kMessages) Flush();
  iovec* pieces = &iov_[2 * messages_];
  pieces[0] = head;
  pieces[1] = body;
  msghdr& message = batch_[messages_++].msg_hdr;
  message = {};
  message.msg_iov = pieces;
  message.msg_iovlen = 2;
}

void FrameOutbox::AddToRing(iovec head, iovec body) {
  if (head.iov_len + body.iov_len > kSlotBytes) return;
  uint8_t* slot = xsk_->Slot();
  if (slot == nullptr) {
    Flush();
    slot = xsk_->Slot();
    if (slot == nullptr) return;
  }
  std::memcpy(slot, head.iov_base, head.iov_len);
  std::memcpy(slot + head.iov_len, body.iov_base, body.iov_len);
  xsk_->Add(head.iov_len + body.iov_len);
}

void FrameOutbox::Flush() {
  if (xsk_) {
    xsk_->Flush();
    return;
  }
  for (size_t sent = 0; sent < messages_;) {
    int taken = sendmmsg(packet_, &batch_[sent], static_cast<unsigned>(messages_ - sent), MSG_DONTWAIT);
    sent += taken > 0 ? static_cast<size_t>(taken) : 1;
  }
  messages_ = 0;
}

}  // namespace frames
