// Batches of datagrams by recvmmsg, into slots of a mapping, each with the address record of its sender.

#include <linux/sock_diag.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "udp-socket.h"

namespace lacewing {

namespace {

size_t RoundUp(size_t octets, size_t unit) { return (octets + unit - 1) / unit * unit; }

class UdpReceiver : public FrameSource {
 public:
  UdpReceiver(std::shared_ptr<Mapping> mapping, int fd, uint32_t slots, uint32_t slotBytes)
      : mapping_(std::move(mapping)),
        fd_(fd),
        slots_(slots),
        slotBytes_(slotBytes),
        slotsBytes_(RoundUp(size_t{slots} * slotBytes, sizeof(AddressRecord))),
        bytes_(slotsBytes_ + size_t{slots} * sizeof(AddressRecord)),
        headers_(slots),
        pieces_(slots),
        names_(slots),
        controls_(slots) {
    stretch_ = mapping_->Allocate(bytes_);
    records_ = stretch_ + slotsBytes_;
    for (uint32_t i = 0; i < slots; i++) {
      pieces_[i] = {mapping_->data() + stretch_ + size_t{i} * slotBytes, slotBytes};
      msghdr& header = headers_[i].msg_hdr;
      header.msg_name = &names_[i];
      header.msg_iov = &pieces_[i];
      header.msg_iovlen = 1;
      header.msg_control = controls_[i].octets;
    }
    drops_ = Drops();
  }

  ~UdpReceiver() override { mapping_->Free(stretch_, bytes_); }

  int Receive(ReceivedFrame* frames, int max) override {
    uint32_t wanted = std::min(static_cast<uint32_t>(max), slots_ - used_);
    if (wanted == 0) return 0;
    // the kernel writes how much of these it used; a call that fails leaves them alone
    for (uint32_t i = used_; i < used_ + wanted; i++) {
      headers_[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
      headers_[i].msg_hdr.msg_controllen = kControlBytes;
    }
    int received = ReceiveBatch(wanted);
    for (int i = 0; i < received; i++) Describe(used_ + i, frames[i]);
    if (received > 0) used_ += received;
    return received;
  }

  void Release() override { used_ = 0; }

  uint32_t Overflows() override {
    uint32_t drops = Drops();
    return drops - std::exchange(drops_, drops);
  }

 private:
  int ReceiveBatch(uint32_t wanted) {
    // each try takes one report of an earlier datagram off the socket; readErrors() has the details
    for (int tries = 0; tries < 16; tries++) {
      int received = recvmmsg(fd_, &headers_[used_], wanted, MSG_DONTWAIT, nullptr);
      if (received >= 0) return received;
      if (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS) return 0;
      if (errno != EINTR && !IsReportOfEarlierDatagram(errno)) return -errno;
    }
    return 0;
  }

  void Describe(uint32_t index, ReceivedFrame& frame) {
    const mmsghdr& header = headers_[index];
    size_t recordOffset = records_ + size_t{index} * sizeof(AddressRecord);
    auto* record = reinterpret_cast<AddressRecord*>(mapping_->data() + recordOffset);
    std::memset(record, 0, sizeof *record);
    FromSockaddr(names_[index], record);
    frame.offset = static_cast<int32_t>(stretch_ + size_t{index} * slotBytes_);
    // half a datagram is none: nobody should take it for a whole one
    bool whole = (header.msg_hdr.msg_flags & MSG_TRUNC) == 0;
    frame.length = whole ? static_cast<int32_t>(header.msg_len) : 0;
    frame.aux = frame.length;
    frame.address = static_cast<int32_t>(recordOffset);
    msghdr message = header.msg_hdr;
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item))
      ReadControl(item, record, frame);
  }

  static void ReadControl(cmsghdr* item, AddressRecord* record, ReceivedFrame& frame) {
    if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(item), sizeof info);
      std::memcpy(record->local, &info.ipi_addr, 4);
      record->ifindex = static_cast<uint32_t>(info.ipi_ifindex);
    } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(item), sizeof info);
      std::memcpy(record->local, &info.ipi6_addr, 16);
      record->ifindex = info.ipi6_ifindex;
    } else if (item->cmsg_level == IPPROTO_UDP && item->cmsg_type == UDP_GRO) {
      std::memcpy(&frame.aux, CMSG_DATA(item), sizeof(int));
    }
  }

  // Cumulative; unlike SO_RXQ_OVFL it needs no datagram to ride on.
  uint32_t Drops() const {
    uint32_t info[SK_MEMINFO_VARS] = {};
    socklen_t length = sizeof info;
    if (getsockopt(fd_, SOL_SOCKET, SO_MEMINFO, info, &length) != 0) return drops_;
    return info[SK_MEMINFO_DROPS];
  }

  struct Control {
    alignas(cmsghdr) uint8_t octets[kControlBytes];
  };

  std::shared_ptr<Mapping> mapping_;
  int fd_;
  uint32_t slots_;
  uint32_t slotBytes_;
  size_t slotsBytes_;  // with what aligns the records behind them: JavaScript reads these in words
  size_t bytes_;
  size_t stretch_ = 0;
  size_t records_ = 0;
  uint32_t used_ = 0;
  uint32_t drops_ = 0;
  std::vector<mmsghdr> headers_;
  std::vector<iovec> pieces_;
  std::vector<sockaddr_storage> names_;
  std::vector<Control> controls_;
};

}  // namespace

std::unique_ptr<FrameSource> MakeUdpReceiver(std::shared_ptr<Mapping> mapping, int fd, uint32_t slots,
                                             uint32_t slotBytes) {
  return std::make_unique<UdpReceiver>(std::move(mapping), fd, slots, slotBytes);
}

}  // namespace lacewing
