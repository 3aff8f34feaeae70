#include "xsk-socket.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "errors.h"
#include "socket-options.h"

namespace lacewing {

namespace {

// Since Linux 6.18: how many frames one call may send, 32 before that. Not in every system's headers.
constexpr int kMaxTxSkbBudget = 9;
// No slot's: the kernel passes over a descriptor with it.
constexpr uint64_t kNowhere = ~uint64_t{0};
// The kernel wants a fill ring, which nothing is received by.
constexpr uint32_t kFillEntries = 2;
// The kernel gives the queue of a socket that was closed back a little later.
constexpr int kBindAttempts = 6;
constexpr timespec kBindPause{0, 2'000'000};

// Indices go round.
bool Before(uint32_t a, uint32_t b) { return static_cast<int32_t>(b - a) > 0; }

std::atomic_ref<uint32_t> Shared(uint32_t* index) { return std::atomic_ref<uint32_t>(*index); }

}  // namespace

Mapped::Mapped(int fd, size_t size, uint64_t offset, const std::string& subject) : size_(size) {
  int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED | MAP_POPULATE;
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, static_cast<off_t>(offset));
  if (at == MAP_FAILED) throw SystemFailure(errno, "mmap", subject);
  data_ = static_cast<uint8_t*>(at);
}

Mapped& Mapped::operator=(Mapped&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapped::~Mapped() {
  if (data_ != nullptr) munmap(data_, size_);
}

XskSocket::XskSocket(const XskOptions& options)
    : name_(options.name),
      slots_(options.slots),
      slotBytes_(options.slotBytes),
      fd_(Check(socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), "socket", options.name)),
      umem_(-1, size_t{options.slots} * options.slotBytes, 0, options.name) {
  int fd = fd_.get();
  // a child process must not share pages that the kernel reads
  Check(madvise(umem_.data(), size_t{slots_} * slotBytes_, MADV_DONTFORK), "madvise", name_);
  xdp_umem_reg area{};
  area.addr = reinterpret_cast<uint64_t>(umem_.data());
  area.len = uint64_t{slots_} * slotBytes_;
  area.chunk_size = slotBytes_;
  SetOption(fd, SOL_XDP, XDP_UMEM_REG, area, name_);
  SetOption(fd, SOL_XDP, XDP_UMEM_FILL_RING, kFillEntries, name_);
  SetOption(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, slots_, name_);
  SetOption(fd, SOL_XDP, XDP_TX_RING, slots_, name_);
  // where there is no such option, there are only more calls
  setsockopt(fd, SOL_XDP, kMaxTxSkbBudget, &slots_, sizeof slots_);
  SetBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.sendBufferBytes, name_);

  xdp_mmap_offsets offsets{};
  socklen_t length = sizeof offsets;
  Check(getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length), "getsockopt", name_);
  tx_ = MapRing(XDP_PGOFF_TX_RING, offsets.tx, sizeof(xdp_desc));
  completion_ = MapRing(XDP_UMEM_PGOFF_COMPLETION_RING, offsets.cr, sizeof(uint64_t));

  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_flags = XDP_COPY;
  address.sxdp_ifindex = static_cast<uint32_t>(options.ifindex);
  address.sxdp_queue_id = options.queue;
  Bind(address);

  free_.reserve(slots_);
  for (uint32_t slot = slots_; slot > 0; slot--) free_.push_back(slot - 1);
}

void XskSocket::Bind(const sockaddr_xdp& address) const {
  for (int attempt = 1;; attempt++) {
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    if (errno != EBUSY || attempt == kBindAttempts) throw SystemFailure(errno, "bind", name_);
    nanosleep(&kBindPause, nullptr);
  }
}

XskSocket::Ring XskSocket::MapRing(uint64_t at, const xdp_ring_offset& offsets, size_t entryBytes) {
  Ring ring;
  ring.memory = Mapped(fd_.get(), offsets.desc + slots_ * entryBytes, at, name_);
  ring.producer = reinterpret_cast<uint32_t*>(ring.memory.data() + offsets.producer);
  ring.consumer = reinterpret_cast<uint32_t*>(ring.memory.data() + offsets.consumer);
  ring.entries = ring.memory.data() + offsets.desc;
  return ring;
}

uint8_t* XskSocket::Slot() {
  if (free_.empty()) Reap();
  // there are as many slots as entries, so an entry is free, too, unless the kernel has not told yet that it is
  if (free_.empty() || next_ - Shared(tx_.consumer).load(std::memory_order_acquire) >= slots_) return nullptr;
  return umem_.data() + size_t{free_.back()} * slotBytes_;
}

void XskSocket::Add(size_t length) {
  Entry(next_++) = {uint64_t{free_.back()} * slotBytes_, static_cast<uint32_t>(length), 0};
  free_.pop_back();
}

size_t XskSocket::Flush() {
  error_ = 0;
  const uint32_t first = accepted_;
  uint32_t lost = 0;
  // entries that were withdrawn are published already, and are used again before the kernel comes to them
  if (Before(published_, next_)) published_ = next_;
  Shared(tx_.producer).store(published_, std::memory_order_release);
  while (error_ == 0 && Before(accepted_, next_)) {
    const int error = Kick();
    const uint32_t consumed = Shared(tx_.consumer).load(std::memory_order_acquire);
    const bool moved = Before(accepted_, consumed);
    if (moved) accepted_ = consumed;
    if (error == EBUSY) {
      // the device refused a frame, the last of those consumed, which is gone. Of a call that sent nothing the kernel does not
      // tell what it consumed
      if (!moved) accepted_ += 1;
      lost = 1;
      error_ = ENOBUFS;
    } else if (!moved && error != EINTR) {
      // a device that has fewer queues by now takes nothing, and says nothing
      error_ = error == 0 ? ENXIO : error;
    }
  }
  const size_t taken = (Before(accepted_, next_) ? accepted_ : next_) - first - lost;
  Withdraw();
  Reap();
  return taken;
}

void XskSocket::Withdraw() {
  for (; Before(accepted_, next_); next_ -= 1) {
    xdp_desc& entry = Entry(next_ - 1);
    free_.push_back(static_cast<uint32_t>(entry.addr / slotBytes_));
    entry.addr = kNowhere;
  }
  // behind what was withdrawn before and the kernel has passed over
  next_ = accepted_;
}

int XskSocket::Kick() const {
  return sendto(fd_.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0 ? errno : 0;
}

void XskSocket::Reap() {
  uint32_t done = *completion_.consumer;
  const uint32_t end = Shared(completion_.producer).load(std::memory_order_acquire);
  const auto* slots = reinterpret_cast<const uint64_t*>(completion_.entries);
  for (; done != end; done++) {
    const uint64_t slot = slots[done & (slots_ - 1)] / slotBytes_;
    // some kernels complete what was withdrawn, too
    if (slot < slots_) free_.push_back(static_cast<uint32_t>(slot));
  }
  Shared(completion_.consumer).store(done, std::memory_order_release);
}

}  // namespace lacewing
