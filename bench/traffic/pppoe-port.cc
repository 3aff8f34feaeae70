#include "pppoe-port.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <stdexcept>

#include "failure.h"
#include "octets.h"

namespace traffic {

namespace {

constexpr size_t kSlots = 16384;
constexpr size_t kSlotBytes = 2048;
constexpr size_t kRingBytes = kSlots * kSlotBytes;
constexpr size_t kMostAtOnce = 512;
constexpr uint16_t kPppIpv4 = 0x0021;

int OpenSocket(int ifindex, uint16_t protocol, const std::string& device) {
  int fd = Must(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "packet socket");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = ifindex;
  address.sll_protocol = htons(protocol);
  Must(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind to " + device);
  return fd;
}

std::atomic_ref<uint32_t> Status(tpacket2_hdr* slot) { return std::atomic_ref<uint32_t>(slot->tp_status); }

}  // namespace

PppoePort::PppoePort(const std::string& device, const std::vector<Session>& sessions, size_t octets)
    : out_(Direction::kUp, octets),
      in_(Direction::kDown, octets),
      byPppoeSession_(65536, -1),
      packets_(kLargestBurst * octets),
      ifindex_(static_cast<int>(if_nametoindex(device.c_str()))) {
  if (ifindex_ == 0) throw std::runtime_error("there is no device " + device);
  for (const Session& session : sessions) {
    Header header{};
    std::memcpy(header.data(), session.concentratorMac.data(), 6);
    std::memcpy(header.data() + 6, session.subscriberMac.data(), 6);
    PutU16(header.data() + 12, ETH_P_PPP_SES);
    header[14] = 0x11;  // version and type 1; the code of session frames is 0
    PutU16(header.data() + 16, session.pppoeSessionId);
    PutU16(header.data() + 18, static_cast<uint16_t>(2 + octets));
    PutU16(header.data() + 20, kPppIpv4);
    headers_.push_back(header);
    std::memcpy(header.data(), session.subscriberMac.data(), 6);
    std::memcpy(header.data() + 6, session.concentratorMac.data(), 6);
    byPppoeSession_[session.pppoeSessionId] = static_cast<int32_t>(expected_.size());
    expected_.push_back(header);
  }
  for (size_t i = 0; i < kLargestBurst; i += 1) {
    uint8_t* packet = packets_.data() + i * octets;
    std::memcpy(packet, out_.data(), octets);
    pieces_[i] = {iovec{nullptr, kHeaderBytes}, iovec{packet, octets}};
    messages_[i].msg_hdr.msg_iov = pieces_[i].data();
    messages_[i].msg_hdr.msg_iovlen = 2;
  }
  // protocol 0 receives nothing
  sender_ = OpenSocket(ifindex_, 0, device);
  int one = 1;
  Must(setsockopt(sender_, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one), "PACKET_QDISC_BYPASS");
  int sendBuffer = 16 << 20;
  Must(setsockopt(sender_, SOL_SOCKET, SO_SNDBUFFORCE, &sendBuffer, sizeof sendBuffer), "SO_SNDBUFFORCE");
  receiver_ = OpenSocket(ifindex_, ETH_P_PPP_SES, device);
  OpenRing();
}

PppoePort::~PppoePort() {
  munmap(ring_, kRingBytes);
  close(receiver_);
  close(sender_);
}

void PppoePort::OpenRing() {
  int version = TPACKET_V2;
  Must(setsockopt(receiver_, SOL_PACKET, PACKET_VERSION, &version, sizeof version), "PACKET_VERSION");
  constexpr size_t kBlockBytes = 1 << 18;
  tpacket_req request{kBlockBytes, kRingBytes / kBlockBytes, kSlotBytes, kSlots};
  Must(setsockopt(receiver_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request), "PACKET_RX_RING");
  void* mapped = mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, receiver_, 0);
  if (mapped == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mapping of the ring");
  ring_ = static_cast<uint8_t*>(mapped);
}

size_t PppoePort::Send(size_t count, Ledger& ledger) {
  size_t octets = out_.octets();
  uint32_t number = static_cast<uint32_t>(ledger.sent());
  size_t session = nextSession_;
  for (size_t i = 0; i < count; i += 1) {
    pieces_[i][0].iov_base = headers_[session].data();
    PacketTemplate::Write(packets_.data() + i * octets, {static_cast<uint32_t>(session), number++});
    if (++session == headers_.size()) session = 0;
  }
  int sent = sendmmsg(sender_, messages_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != ENOBUFS) Must(sent, "sending PPPoE frames");
  size_t left = sent < 0 ? 0 : static_cast<size_t>(sent);
  if (left < count) ledger.Refused();
  for (size_t i = 0; i < left; i += 1) ledger.Sent();
  nextSession_ = (nextSession_ + left) % headers_.size();
  return left;
}

size_t PppoePort::Receive(Ledger& ledger) {
  size_t received = 0;
  for (; received < kMostAtOnce; received += 1) {
    auto* slot = reinterpret_cast<tpacket2_hdr*>(ring_ + head_ * kSlotBytes);
    if ((Status(slot).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) break;
    Judge(reinterpret_cast<uint8_t*>(slot) + slot->tp_mac, slot->tp_snaplen, ledger);
    Status(slot).store(TP_STATUS_KERNEL, std::memory_order_release);
    head_ = (head_ + 1) % kSlots;
  }
  return received;
}

void PppoePort::Judge(const uint8_t* frame, size_t length, Ledger& ledger) const {
  if (length < kHeaderBytes) return ledger.Damaged();
  if (GetU16(frame + 20) != kPppIpv4) return ledger.Foreign();
  int32_t session = byPppoeSession_[GetU16(frame + 16)];
  if (session < 0) return ledger.Misdelivered();
  Stamp stamp;
  bool whole = length >= kHeaderBytes + in_.octets() &&
               std::memcmp(frame, expected_[session].data(), kHeaderBytes) == 0 &&
               in_.Read(frame + kHeaderBytes, &stamp);
  if (!whole) return ledger.Damaged();
  if (stamp.session != static_cast<uint32_t>(session)) return ledger.Misdelivered();
  ledger.Received(stamp);
}

}  // namespace traffic
