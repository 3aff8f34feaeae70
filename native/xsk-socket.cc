#include "xsk-socket.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "errors.h"
#include "socket-options.h"

namespace lacewing {

namespace {

// How many frames one call sends, unless it may be set: since Linux 6.18. Not in every system's headers.
constexpr uint32_t kUsualBudget = 32;
constexpr int kMaxTxSkbBudget = 9;
// Beside the address of a slot, it makes one of no slot: the kernel passes over the descriptor.
constexpr uint64_t kWithdrawn = uint64_t{1} << 40;
// Calls that the kernel may need beyond one for each entry.
constexpr uint32_t kSpareCalls = 4;
// The kernel wants a fill ring, which nothing is received by.
constexpr uint32_t kFillEntries = 2;
// The kernel gives the queue of a socket that was closed back a little later: pauses of 1, 2, 4 … 32 ms between attempts.
constexpr long kFirstPauseNs = 1'000'000;
constexpr long kLastPauseNs = 32'000'000;

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
  budget_ = setsockopt(fd, SOL_XDP, kMaxTxSkbBudget, &slots_, sizeof slots_) == 0 ? slots_ : kUsualBudget;
  SetBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.sendBufferBytes, name_);

  xdp_mmap_offsets offsets{};
  socklen_t length = sizeof offsets;
  Check(getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length), "getsockopt", name_);
  tx_ = MapRing(XDP_PGOFF_TX_RING, offsets.tx, sizeof(xdp_desc));
  completion_ = MapRing(XDP_UMEM_PGOFF_COMPLETION_RING, offsets.cr, sizeof(uint64_t));

  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  // who sends wakes the kernel each time: some kernels do nothing for a socket that has not said so
  address.sxdp_flags = XDP_COPY | XDP_USE_NEED_WAKEUP;
  address.sxdp_ifindex = static_cast<uint32_t>(options.ifindex);
  address.sxdp_queue_id = options.queue;
  Bind(address);

  free_.reserve(slots_);
  for (uint32_t slot = slots_; slot > 0; slot--) free_.push_back(slot - 1);
}

void XskSocket::Bind(const sockaddr_xdp& address) const {
  for (timespec pause{0, kFirstPauseNs};; pause.tv_nsec *= 2) {
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    if (errno != EBUSY || pause.tv_nsec > kLastPauseNs) throw SystemFailure(errno, "bind", name_);
    nanosleep(&pause, nullptr);
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
  if (withdrawing_) {
    error_ = 0;
    Settle();
    if (withdrawing_) return nullptr;
  }
  if (free_.empty()) Reap();
  if (free_.empty() || next_ - drained_ >= slots_) return nullptr;
  return umem_.data() + size_t{free_.back()} * slotBytes_;
}

void XskSocket::Add(size_t length) {
  Entry(next_++) = {uint64_t{free_.back()} * slotBytes_, static_cast<uint32_t>(length), 0};
  free_.pop_back();
}

size_t XskSocket::Flush() {
  if (withdrawing_) return 0;
  error_ = 0;
  size_t taken = 0;
  // no more at a time than the kernel comes to the end of: before Linux 6.18 it does not tell of less
  while (error_ == 0 && begin_ != next_) taken += SendChunk(begin_ + std::min(budget_, next_ - begin_));
  Reap();
  return taken;
}

// Sends the frames up to `end`; what it returns is less when error_ says why.
size_t XskSocket::SendChunk(uint32_t end) {
  // entries of frames that were withdrawn while the device was down are published already, and used again
  if (Before(published_, end)) published_ = end;
  Shared(tx_.producer).store(published_, std::memory_order_release);
  const uint32_t since = drained_;
  const size_t frames = end - begin_;
  uint32_t calls = 0;
  const int error = Drain(&calls);
  if (error == 0) {
    if (published_ - since != frames) passedOver_ = PassedOver();
    begin_ = published_;
    if (Before(next_, begin_)) next_ = begin_;
    return frames;
  }
  error_ = error == EBUSY ? ENOBUFS : error;
  // of what is down it takes nothing, and what comes next finds the same entries
  if (calls == 0 && error == ENETDOWN) return TakeBack(end, 0);
  const size_t consumed = Withdraw(end);
  // the device refused a frame, the last of those consumed, which is gone
  return error == EBUSY && consumed > 0 ? consumed - 1 : consumed;
}

int XskSocket::Drain(uint32_t* calls) {
  // some kernels pass over one withdrawn entry with each call
  for (const uint32_t most = published_ - drained_ + kSpareCalls; *calls < most; *calls += 1) {
    const int error = Kick();
    if (error == EINTR) continue;
    if (error != 0) return error;
    if (Shared(tx_.consumer).load(std::memory_order_acquire) != published_) continue;
    drained_ = published_;
    return 0;
  }
  // a device that has fewer queues by now takes nothing, and says nothing
  return ENXIO;
}

// The kernel has stopped somewhere in the frames up to `end`, and does not tell where. Returns how many it had taken.
size_t XskSocket::Withdraw(uint32_t end) {
  for (uint32_t at = begin_; at != end; at++) Entry(at).addr |= kWithdrawn;
  withdrawing_ = true;
  withdrawn_ = end;
  return Settle();
}

// It passes over what is withdrawn, and counts that.
size_t XskSocket::Settle() {
  const uint32_t since = drained_;
  uint32_t calls = 0;
  const int error = Drain(&calls);
  if (error != 0) {
    // which of the slots are free is known when the device is up again; or it will never be
    error_ = error == ENETDOWN ? ENETDOWN : ENXIO;
    return 0;
  }
  withdrawing_ = false;
  const uint32_t end = withdrawn_;
  const uint64_t passedOver = PassedOver();
  const size_t consumed = (published_ - since) - static_cast<size_t>(passedOver - passedOver_);
  passedOver_ = passedOver;
  const size_t taken = TakeBack(end, std::min<size_t>(consumed, end - begin_));
  begin_ = next_ = published_;
  return taken;
}

// Frees the slots of all frames but those that were consumed; returns the number of these.
size_t XskSocket::TakeBack(uint32_t end, size_t consumed) {
  for (uint32_t at = begin_ + static_cast<uint32_t>(consumed); at != next_; at++) {
    free_.push_back(static_cast<uint32_t>((Entry(at).addr & ~kWithdrawn) / slotBytes_));
    if (at - begin_ < end - begin_) Entry(at).addr |= kWithdrawn;
  }
  next_ = begin_;
  return consumed;
}

uint64_t XskSocket::PassedOver() const {
  xdp_statistics statistics{};
  socklen_t length = sizeof statistics;
  // no kernel refuses it to a socket of this kind; sending throws nothing
  if (getsockopt(fd_.get(), SOL_XDP, XDP_STATISTICS, &statistics, &length) != 0) return passedOver_;
  return statistics.tx_invalid_descs;
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
