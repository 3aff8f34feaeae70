// An AF_XDP socket that only sends. The kernel takes frames from a ring in memory that both see, many with one call, where a
// packet socket pays for a message header, an address and a look-up of the device for each of them.
//
//     umem            slots, one frame each, pinned
//     tx ring         we fill it: which slots hold frames to send
//     completion ring the kernel fills it: which slots it has done with
//
// A bound socket has a queue of its device for itself. XDP_COPY always: in the other mode the driver would take the
// queue's receive side from the host's stack, too.
#pragma once

#include <linux/if_xdp.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "unique-fd.h"

namespace lacewing {

struct XskOptions {
  int ifindex;
  std::string name;
  // Of the device's queues.
  uint32_t queue;
  // Frames that may be on the way to the device at one time, a power of two, and octets of each: 2048 or a page.
  uint32_t slots;
  uint32_t slotBytes;
  int sendBufferBytes;
};

// Anonymous memory, or what a descriptor maps.
class Mapped {
 public:
  Mapped() = default;
  // Throws what mmap refuses.
  Mapped(int fd, size_t size, uint64_t offset, const std::string& subject);
  Mapped(Mapped&& other) noexcept { *this = static_cast<Mapped&&>(other); }
  Mapped& operator=(Mapped&& other) noexcept;
  ~Mapped();

  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

class XskSocket {
 public:
  // Throws a SystemFailure: EPERM without CAP_NET_RAW, ENOBUFS when so much memory may not be pinned (RLIMIT_MEMLOCK),
  // EBUSY when somebody has the queue, EINVAL when the device has no such queue.
  explicit XskSocket(const XskOptions& options);
  XskSocket(const XskSocket&) = delete;
  XskSocket& operator=(const XskSocket&) = delete;

  // Where to write the next frame, a slot; null when all are on the way, or settled() is false.
  uint8_t* Slot();
  // What was written into Slot() is a frame of so many octets.
  void Add(size_t length);
  // Hands what was added since the last Flush() to the kernel. Returns how many frames it took, in order, and withdraws the
  // others: error() says why the first of them was refused. ENXIO: the socket does not reach the device any more.
  size_t Flush();
  // 0 when all were taken.
  int error() const { return error_; }
  // False: the device went down, or away, while frames were withdrawn; error() says which.
  bool settled() const { return !withdrawing_; }

 private:
  // A ring in memory shared with the kernel: one of the two sides owns each index.
  struct Ring {
    Mapped memory;
    uint32_t* producer = nullptr;
    uint32_t* consumer = nullptr;
    uint8_t* entries = nullptr;
  };

  void Bind(const sockaddr_xdp& address) const;
  Ring MapRing(uint64_t at, const xdp_ring_offset& offsets, size_t entryBytes);
  xdp_desc& Entry(uint32_t index) { return reinterpret_cast<xdp_desc*>(tx_.entries)[index & (slots_ - 1)]; }
  // Slots that the kernel has done with are free again.
  void Reap();
  // One call of the kernel; returns its error, 0 for none.
  int Kick() const;
  // Calls it until it has come to the end of what is published. Returns 0, or the error that it met. Counts calls without one.
  int Drain(uint32_t* calls);
  size_t SendChunk(uint32_t end);
  size_t Withdraw(uint32_t end);
  size_t Settle();
  size_t TakeBack(uint32_t end, size_t consumed);
  uint64_t PassedOver() const;

  std::string name_;
  uint32_t slots_;
  uint32_t slotBytes_;
  UniqueFd fd_;
  // behind the socket, so that it is unmapped first: the kernel keeps the pages itself as long as it needs them
  Mapped umem_;
  Ring tx_;
  Ring completion_;
  std::vector<uint32_t> free_;
  // Frames that one call sends at most.
  uint32_t budget_;
  // Entries of the tx ring, counted from its beginning. Frames of ours are from `begin_` up to `next_`; the kernel may look at
  // entries up to `published_`, where there are withdrawn ones besides; up to `drained_` it is done with all, and had passed
  // over so many until then.
  uint32_t begin_ = 0;
  uint32_t next_ = 0;
  uint32_t published_ = 0;
  uint32_t drained_ = 0;
  uint64_t passedOver_ = 0;
  // The kernel has yet to pass over what is withdrawn, up to there.
  bool withdrawing_ = false;
  uint32_t withdrawn_ = 0;
  int error_ = 0;
};

}  // namespace lacewing
