#include "l2tp-port.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

#include "failure.h"
#include "octets.h"

namespace traffic {

namespace {

constexpr uint8_t kTypeBit = 0x80;
constexpr uint8_t kLengthBit = 0x40;
constexpr uint16_t kPppIpv4 = 0x0021;
// what one UDP datagram could hold: a group of UDP_SEGMENT is no larger
constexpr size_t kLargestGroup = 65000;

// The size of the datagrams that the kernel has put together.
size_t SegmentBytes(msghdr& message, size_t length) {
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level != IPPROTO_UDP || item->cmsg_type != UDP_GRO) continue;
    int size;
    std::memcpy(&size, CMSG_DATA(item), sizeof size);
    if (size > 0) return static_cast<size_t>(size);
  }
  return length;
}

}  // namespace

L2tpPort::L2tpPort(int fd, const sockaddr_in& lac, const std::vector<Session>& sessions, size_t octets)
    : fd_(fd),
      lac_(lac),
      out_(Direction::kDown, octets),
      in_(Direction::kUp, octets),
      sessions_(sessions),
      byLnsSession_(65536, -1),
      packets_(kLargestBurst * octets),
      buffers_(kReceiveSlots * kReceiveSlotBytes) {
  for (const Session& session : sessions) {
    Header header{kLengthBit, 2};
    PutU16(header.data() + 2, static_cast<uint16_t>(kHeaderBytes + octets));
    PutU16(header.data() + 4, session.lacTunnelId);
    PutU16(header.data() + 6, session.lacSessionId);
    PutU16(header.data() + 8, 0xff03);
    PutU16(header.data() + 10, kPppIpv4);
    byLnsSession_[session.lnsSessionId] = static_cast<int32_t>(headers_.size());
    headers_.push_back(header);
  }
  for (size_t i = 0; i < kLargestBurst; i += 1) {
    uint8_t* packet = packets_.data() + i * octets;
    std::memcpy(packet, out_.data(), octets);
    pieces_[2 * i] = {nullptr, kHeaderBytes};
    pieces_[2 * i + 1] = {packet, octets};
  }
  for (size_t i = 0; i < kReceiveSlots; i += 1) {
    slots_[i] = {buffers_.data() + i * kReceiveSlotBytes, kReceiveSlotBytes};
    messages_[i].msg_hdr.msg_iov = &slots_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_control = controls_[i].octets.data();
  }
}

size_t L2tpPort::Send(size_t count, Ledger& ledger) {
  size_t octets = out_.octets();
  size_t messageBytes = kHeaderBytes + octets;
  count = std::min(count, kLargestGroup / messageBytes);
  uint32_t number = static_cast<uint32_t>(ledger.sent());
  size_t session = nextSession_;
  for (size_t i = 0; i < count; i += 1) {
    pieces_[2 * i].iov_base = headers_[session].data();
    PacketTemplate::Write(packets_.data() + i * octets, {static_cast<uint32_t>(session), number++});
    if (++session == headers_.size()) session = 0;
  }
  alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint16_t))] = {};
  msghdr message{};
  message.msg_name = &lac_;
  message.msg_namelen = sizeof lac_;
  message.msg_iov = pieces_.data();
  message.msg_iovlen = 2 * count;
  if (count > 1) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = IPPROTO_UDP;
    item->cmsg_type = UDP_SEGMENT;
    item->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t segment = static_cast<uint16_t>(messageBytes);
    std::memcpy(CMSG_DATA(item), &segment, sizeof segment);
  }
  ssize_t sent = sendmsg(fd_, &message, MSG_DONTWAIT);
  if (sent < 0) {
    if (errno != EAGAIN && errno != ENOBUFS) Must(sent, "sending L2TP messages");
    ledger.Refused();
    return 0;
  }
  for (size_t i = 0; i < count; i += 1) ledger.Sent();
  nextSession_ = (nextSession_ + count) % headers_.size();
  return count;
}

size_t L2tpPort::Receive(Ledger& ledger) {
  for (mmsghdr& message : messages_) message.msg_hdr.msg_controllen = kControlBytes;
  int groups = recvmmsg(fd_, messages_.data(), kReceiveSlots, MSG_DONTWAIT, nullptr);
  if (groups < 0) {
    if (errno != EAGAIN) Must(groups, "receiving L2TP messages");
    return 0;
  }
  size_t received = 0;
  for (int i = 0; i < groups; i += 1) {
    size_t length = messages_[i].msg_len;
    size_t segment = SegmentBytes(messages_[i].msg_hdr, length);
    const uint8_t* group = buffers_.data() + i * kReceiveSlotBytes;
    for (size_t at = 0; at < length; at += segment) {
      Judge(group + at, std::min(segment, length - at), ledger);
      received += 1;
    }
  }
  return received;
}

void L2tpPort::Judge(const uint8_t* message, size_t length, Ledger& ledger) const {
  if (length < 1 || (message[0] & kTypeBit) != 0) return ledger.Foreign();
  // the LAC is configured to send what we send: Length and FF03
  if (length < kHeaderBytes || message[0] != kLengthBit || message[1] != 2 ||
      GetU16(message + 8) != 0xff03)
    return ledger.Damaged();
  if (GetU16(message + 10) != kPppIpv4) return ledger.Foreign();
  int32_t session = byLnsSession_[GetU16(message + 6)];
  if (session < 0 || sessions_[session].lnsTunnelId != GetU16(message + 4)) return ledger.Misdelivered();
  Stamp stamp;
  bool whole = length == kHeaderBytes + in_.octets() && GetU16(message + 2) == length &&
               in_.Read(message + kHeaderBytes, &stamp);
  if (!whole) return ledger.Damaged();
  if (stamp.session != static_cast<uint32_t>(session)) return ledger.Misdelivered();
  ledger.Received(stamp);
}

}  // namespace traffic
