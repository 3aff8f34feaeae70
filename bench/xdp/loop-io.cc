#include "loop-io.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "failure.h"
#include "netns.h"
#include "octets.h"

namespace frames {

namespace {

template <typename Value>
void Set(int fd, int level, int name, const Value& value, const char* what) {
  Must(setsockopt(fd, level, name, &value, sizeof value), what);
}

// PPPoE sessions without tags.
const sock_filter kPppoeSession[] = {
    {0x28, 0, 0, 12},
    {0x15, 0, 1, 0x8864},
    {0x06, 0, 0, 0x40000},
    {0x06, 0, 0, 0},
};

int OpenUdp(in_addr local, int bytes) {
  int udp = Must(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "UDP socket");
  Set(udp, IPPROTO_IP, IP_PKTINFO, int{1}, "IP_PKTINFO");
  Set(udp, IPPROTO_IP, IP_RECVERR, int{1}, "IP_RECVERR");
  Set(udp, IPPROTO_IP, IP_MTU_DISCOVER, int{IP_PMTUDISC_DONT}, "IP_MTU_DISCOVER");
  Set(udp, SOL_SOCKET, SO_RCVBUFFORCE, bytes, "SO_RCVBUFFORCE");
  Set(udp, SOL_SOCKET, SO_SNDBUFFORCE, bytes, "SO_SNDBUFFORCE");
  Set(udp, IPPROTO_UDP, UDP_GRO, int{1}, "UDP_GRO");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(1701);
  address.sin_addr = local;
  Must(bind(udp, reinterpret_cast<sockaddr*>(&address), sizeof address), "binding the UDP socket");
  return udp;
}

}  // namespace

void DatagramOutbox::Add(iovec datagram, sockaddr_in* to) {
  if (pieces_ == kFrames) Flush();
  if (open_) {
    msghdr& last = batch_[messages_ - 1].msg_hdr;
    if (last.msg_name == to && datagram.iov_len <= segment_ && last.msg_iovlen < kSegments &&
        octets_ + datagram.iov_len <= kOctets) {
      if (last.msg_iovlen == 1) {
        Control& control = controls_[messages_ - 1];
        last.msg_control = control.octets;
        last.msg_controllen = sizeof control.octets;
        cmsghdr* item = CMSG_FIRSTHDR(&last);
        item->cmsg_level = IPPROTO_UDP;
        item->cmsg_type = UDP_SEGMENT;
        item->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        auto segment = static_cast<uint16_t>(segment_);
        std::memcpy(CMSG_DATA(item), &segment, sizeof segment);
      }
      iov_[pieces_++] = datagram;
      last.msg_iovlen += 1;
      octets_ += datagram.iov_len;
      open_ = datagram.iov_len == segment_;
      return;
    }
  }
  msghdr& message = batch_[messages_++].msg_hdr;
  message = {};
  message.msg_name = to;
  message.msg_namelen = sizeof *to;
  message.msg_iov = &iov_[pieces_];
  message.msg_iovlen = 1;
  iov_[pieces_++] = datagram;
  segment_ = octets_ = datagram.iov_len;
  open_ = true;
}

void DatagramOutbox::Flush() {
  for (size_t sent = 0; sent < messages_;) {
    int taken = sendmmsg(fd_, &batch_[sent], static_cast<unsigned>(messages_ - sent), MSG_DONTWAIT);
    sent += taken > 0 ? static_cast<size_t>(taken) : 1;
  }
  messages_ = pieces_ = 0;
  open_ = false;
}

LoopIo::LoopIo(const std::string& access, in_addr local, const std::vector<in_addr>& peers,
               const std::vector<flow>& sessions)
    : udp_(OpenUdp(local, kSocketBytes)),
      l2tpHeads_(65'536),
      peerOf_(65'536),
      arena_(kFramesPerTurn * 2),
      toCore_(udp_),
      toAccess_(access) {
  OpenRing(access);
  MakeBuffers();
  for (in_addr peer : peers) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(1701);
    address.sin_addr = peer;
    peers_.push_back(address);
  }
  Mac mac = MacOf(access);
  tunnels_.fill(-1);
  for (const flow& session : sessions) {
    Head l2tp{0x40, 2};
    std::memcpy(l2tp.data() + 4, &session.lnsTunnel, 2);
    std::memcpy(l2tp.data() + 6, &session.lnsSession, 2);
    l2tp[8] = 0xff;
    l2tp[9] = 0x03;
    l2tpHeads_[ntohs(session.pppoe)] = l2tp;
    peerOf_[ntohs(session.pppoe)] = session.peer;
    Head pppoe{};
    std::memcpy(pppoe.data(), session.subscriber, 6);
    std::memcpy(pppoe.data() + 6, mac.data(), 6);
    PutU16(pppoe.data() + 12, ETH_P_PPP_SES);
    PutU16(pppoe.data() + 14, 0x1100);
    std::memcpy(pppoe.data() + 16, &session.pppoe, 2);
    int32_t& tunnel = tunnels_[ntohs(session.lacTunnel)];
    if (tunnel < 0) {
      tunnel = static_cast<int32_t>(places_.size());
      places_.resize(places_.size() + 65'536, -1);
    }
    places_[static_cast<size_t>(tunnel) + ntohs(session.lacSession)] = static_cast<int32_t>(pppoeHeads_.size());
    pppoeHeads_.push_back(pppoe);
  }
}

void LoopIo::OpenRing(const std::string& access) {
  packet_ = Must(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "packet socket");
  sock_fprog program{std::size(kPppoeSession), const_cast<sock_filter*>(kPppoeSession)};
  Set(packet_, SOL_SOCKET, SO_ATTACH_FILTER, program, "SO_ATTACH_FILTER");
  Set(packet_, SOL_PACKET, PACKET_IGNORE_OUTGOING, int{1}, "PACKET_IGNORE_OUTGOING");
  Set(packet_, SOL_PACKET, PACKET_VERSION, int{TPACKET_V2}, "PACKET_VERSION");
  Set(packet_, SOL_PACKET, PACKET_RESERVE, uint32_t{kHeadroom}, "PACKET_RESERVE");
  tpacket_req request{64 * 1024, kRingSlots * kSlotBytes / (64 * 1024), kSlotBytes, kRingSlots};
  Set(packet_, SOL_PACKET, PACKET_RX_RING, request, "PACKET_RX_RING");
  void* ring = mmap(nullptr, size_t{kRingSlots} * kSlotBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                    packet_, 0);
  if (ring == MAP_FAILED) Must(-1, "the packet ring");
  ring_ = static_cast<uint8_t*>(ring);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = IndexOf(access);
  Must(bind(packet_, reinterpret_cast<sockaddr*>(&address), sizeof address), "binding the packet socket");
}

void LoopIo::MakeBuffers() {
  buffers_.resize(kDatagramsPerBatch * kDatagramBytes);
  for (size_t i = 0; i < kDatagramsPerBatch; i += 1) {
    slots_[i] = {buffers_.data() + i * kDatagramBytes, kDatagramBytes};
    msghdr& message = datagrams_[i].msg_hdr;
    message.msg_name = &names_[i];
    message.msg_iov = &slots_[i];
    message.msg_iovlen = 1;
    message.msg_control = controls_[i].octets;
  }
}

void LoopIo::Run() {
  int poller = Must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  for (int fd : {packet_, udp_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    Must(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }
  for (;;) {
    epoll_event events[2];
    int ready = epoll_wait(poller, events, 2, -1);
    for (int i = 0; i < ready; i += 1) {
      bool access = events[i].data.fd == packet_;
      for (size_t frames = 0; frames < kFramesPerTurn;) {
        size_t batch = access ? FromAccess() : FromCore();
        if (batch == 0) break;
        frames += batch;
      }
    }
  }
}

size_t LoopIo::FromAccess() {
  tpacket2_hdr* taken[kFramesPerBatch];
  size_t count = 0;
  for (; count < kFramesPerBatch; count += 1) {
    auto* slot = reinterpret_cast<tpacket2_hdr*>(ring_ + size_t{next_} * kSlotBytes);
    std::atomic_ref<uint32_t> status(slot->tp_status);
    if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) break;
    taken[count] = slot;
    next_ = (next_ + 1) % kRingSlots;
    FromPppoe(reinterpret_cast<uint8_t*>(slot) + slot->tp_mac, slot->tp_snaplen);
  }
  SendMessages();
  for (size_t i = 0; i < count; i += 1)
    std::atomic_ref<uint32_t>(taken[i]->tp_status).store(TP_STATUS_KERNEL, std::memory_order_release);
  return count;
}

// The L2TP header goes where the end of the PPPoE header was.
void LoopIo::FromPppoe(uint8_t* frame, size_t length) {
  // version and type 1, code 0: session data
  if (length < kPppoeHead + 2 || GetU16(frame + 14) != 0x1100) return;
  uint16_t session = GetU16(frame + 16);
  size_t ppp = GetU16(frame + 18);
  if (kPppoeHead + ppp > length) return;
  uint8_t* message = frame + kPppoeHead - kL2tpHead;
  std::memcpy(message, l2tpHeads_[session].data(), kL2tpHead);
  PutU16(message + 2, static_cast<uint16_t>(kL2tpHead + ppp));
  size_t octets = kL2tpHead + ppp;
  messages_[made_] = {message, octets};
  // the loop has address records of so many octets
  kinds_[made_++] = {uint32_t{peerOf_[session]} * 64, static_cast<uint32_t>(octets), static_cast<uint8_t>(session)};
}

void LoopIo::SendMessages() {
  std::span<const uint16_t> order = grouping_.Order({kinds_.data(), made_});
  for (size_t i = 0; i < made_; i += 1) {
    size_t next = order.empty() ? i : order[i];
    toCore_.Add(messages_[next], &peers_[kinds_[next].address / 64]);
  }
  toCore_.Flush();
  made_ = 0;
}

size_t LoopIo::FromCore() {
  for (mmsghdr& datagram : datagrams_) {
    datagram.msg_hdr.msg_namelen = sizeof(sockaddr_in);
    datagram.msg_hdr.msg_controllen = sizeof(Control);
  }
  int count = recvmmsg(udp_, datagrams_.data(), kDatagramsPerBatch, MSG_DONTWAIT, nullptr);
  size_t messages = 0;
  for (int i = 0; i < count; i += 1) {
    msghdr& header = datagrams_[i].msg_hdr;
    size_t length = datagrams_[i].msg_len;
    size_t segment = length;
    for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
      if (item->cmsg_level != IPPROTO_UDP || item->cmsg_type != UDP_GRO) continue;
      int size;
      std::memcpy(&size, CMSG_DATA(item), sizeof size);
      segment = static_cast<size_t>(size);
    }
    auto* octets = static_cast<uint8_t*>(slots_[i].iov_base);
    for (size_t at = 0; at < length; at += segment) {
      FromL2tp(octets + at, std::min(segment, length - at));
      messages += 1;
    }
  }
  toAccess_.Flush();
  arenaUsed_ = 0;
  return messages;
}

void LoopIo::FromL2tp(uint8_t* message, size_t length) {
  // with a Length field and nothing else that is optional, and as long as that says
  if (length < kL2tpHead + 2 || GetU16(message) != 0x4002 || GetU16(message + 2) != length) return;
  int32_t tunnel = tunnels_[GetU16(message + 4)];
  if (tunnel < 0) return;
  int32_t place = places_[static_cast<size_t>(tunnel) + GetU16(message + 6)];
  if (place < 0) return;
  if (arenaUsed_ == arena_.size()) {
    toAccess_.Flush();
    arenaUsed_ = 0;
  }
  Head& head = arena_[arenaUsed_++];
  head = pppoeHeads_[static_cast<size_t>(place)];
  size_t ppp = length - kL2tpHead;
  PutU16(head.data() + 18, static_cast<uint16_t>(ppp));
  toAccess_.Add({head.data(), kPppoeHead}, {message + kL2tpHead, ppp});
}

}  // namespace frames
