// TPACKET_V2: a ring of slots that the kernel fills and we give back, each with a status word that says whose it
// is. The kernel fills slot after slot and drops when the next one is not its own, so order is never lost.

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <atomic>
#include <utility>

#include "errors.h"
#include "packet-socket.h"
#include "vlan-tag.h"

namespace lacewing {

namespace {

// sits after the tpacket2_hdr; the kernel's headroom begins behind it
constexpr uint32_t kFirstFrameOctet = TPACKET2_HDRLEN + kVlanTagBytes;

class PacketRing : public FrameSource {
 public:
  PacketRing(std::shared_ptr<Mapping> mapping, int fd, const PacketOptions& options)
      : mapping_(std::move(mapping)),
        fd_(fd),
        slots_(options.ringSlots),
        slotBytes_(options.slotBytes),
        stretch_(mapping_->AllocateFrom(fd, options.ringBytes(), options.name.c_str())) {}

  ~PacketRing() override { mapping_->Free(stretch_, size_t{slots_} * slotBytes_); }

  int Receive(ReceivedFrame* frames, int max) override {
    if (!located_ && !Locate()) return EmptyOrDead();
    int count = 0;
    while (count < max && outstanding_ < slots_) {
      tpacket2_hdr* slot = Slot(head_);
      uint32_t status = Status(slot).load(std::memory_order_acquire);
      if ((status & TP_STATUS_USER) == 0) break;
      Describe(slot, status, frames[count++]);
      head_ = (head_ + 1) & (slots_ - 1);
      outstanding_ += 1;
    }
    return count > 0 || outstanding_ > 0 ? count : EmptyOrDead();
  }

  void Release() override {
    for (; outstanding_ > 0; outstanding_ -= 1) {
      Status(Slot(head_ - outstanding_)).store(TP_STATUS_KERNEL, std::memory_order_release);
    }
  }

  uint32_t Overflows() override {
    tpacket_stats stats{};
    socklen_t length = sizeof stats;
    // reading resets the counter
    if (getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &stats, &length) != 0) return 0;
    return stats.tp_drops;
  }

 private:
  tpacket2_hdr* Slot(uint32_t index) const {
    size_t offset = stretch_ + size_t{index & (slots_ - 1)} * slotBytes_;
    return reinterpret_cast<tpacket2_hdr*>(mapping_->data() + offset);
  }

  static std::atomic_ref<uint32_t> Status(tpacket2_hdr* slot) {
    return std::atomic_ref<uint32_t>(slot->tp_status);
  }

  void Describe(tpacket2_hdr* slot, uint32_t status, ReceivedFrame& frame) {
    uint8_t* base = reinterpret_cast<uint8_t*>(slot);
    uint32_t start = slot->tp_mac;
    uint32_t length = slot->tp_snaplen;
    uint32_t wireLength = slot->tp_len;
    // JavaScript can write to the header too: never follow it out of the slot
    if (start < kFirstFrameOctet || start > slotBytes_ || length > slotBytes_ - start) {
      start = kFirstFrameOctet;
      length = 0;
    }
    if ((status & TP_STATUS_VLAN_VALID) != 0 && length >= 12) {
      uint16_t tpid = (status & TP_STATUS_VLAN_TPID_VALID) != 0 ? slot->tp_vlan_tpid : uint16_t{ETH_P_8021Q};
      PutBackVlanTag(base + start, tpid, slot->tp_vlan_tci);
      start -= kVlanTagBytes;
      length += kVlanTagBytes;
      wireLength += kVlanTagBytes;
    }
    frame.offset = static_cast<int32_t>(base - mapping_->data() + start);
    frame.length = static_cast<int32_t>(length);
    frame.aux = static_cast<int32_t>(wireLength);
    frame.address = 0;
  }

  // A ring that somebody read before does not begin at slot 0. Finds the oldest frame: the one after a slot that
  // is the kernel's or, in a full ring, the one with the earliest time.
  bool Locate() {
    bool full = true;
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < slots_; i++) {
      if ((Status(Slot(i)).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) {
        full = false;
        continue;
      }
      if ((Status(Slot(i - 1)).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) {
        head_ = i;
        return located_ = true;
      }
      if (Earlier(Slot(i), Slot(oldest))) oldest = i;
    }
    if (!full) return false;
    head_ = oldest;
    return located_ = true;
  }

  static bool Earlier(const tpacket2_hdr* a, const tpacket2_hdr* b) {
    return a->tp_sec != b->tp_sec ? a->tp_sec < b->tp_sec : a->tp_nsec < b->tp_nsec;
  }

  // An interface that went down or away leaves an error on the socket and no frame. Reading it takes it off.
  int EmptyOrDead() const {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -errno;
    return -error;
  }

  std::shared_ptr<Mapping> mapping_;
  int fd_;
  uint32_t slots_;
  uint32_t slotBytes_;
  size_t stretch_;
  bool located_ = false;
  uint32_t head_ = 0;
  uint32_t outstanding_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> MapPacketRing(std::shared_ptr<Mapping> mapping, int fd,
                                           const PacketOptions& options) {
  return std::make_unique<PacketRing>(std::move(mapping), fd, options);
}

}  // namespace lacewing
