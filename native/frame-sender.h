// Sends batches of frames, each gathered from a head and a body piece of a mapping.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "address-record.h"
#include "grouping.h"
#include "mapping.h"
#include "xsk-outlet.h"

namespace lacewing {

// A send descriptor, as src/io/addon.ts lays it out (TX_*).
struct FrameToSend {
  int32_t headOffset;
  int32_t headLength;
  int32_t bodyOffset;
  int32_t bodyLength;
  int32_t address;
  int32_t user;
};

class FrameSender {
 public:
  explicit FrameSender(std::shared_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}

  // Each sends in order and returns how many frames were taken; lastError() says why not all.
  // Through an AF_XDP socket where the descriptor has one.
  int SendPacket(int fd, std::span<const FrameToSend> frames);
  // Puts the frames in a better order first, in which those with one lowest octet of `user` stay in theirs.
  int SendUdp(int fd, std::span<FrameToSend> frames, std::span<const uint8_t> addresses);
  int SendTun(int fd, std::span<const FrameToSend> frames);

  int lastError() const { return lastError_; }

  // Remembers for SendUdp whether this socket may use UDP_SEGMENT: the kernel refuses it without checksums.
  static void AllowSegments(int fd, bool allowed);

 private:
  // Frames that are prepared for one system call. Their headers stay in the first-level cache.
  static constexpr int kBatch = 128;

  struct Control {
    alignas(cmsghdr) uint8_t octets[kControlBytes];
  };

  bool Usable(const FrameToSend& frame) const {
    return mapping_->Contains(frame.headOffset, frame.headLength) &&
           mapping_->Contains(frame.bodyOffset, frame.bodyLength) &&
           (frame.headLength | frame.bodyLength) != 0;
  }
  // Writes one or two pieces; returns their number.
  int Gather(const FrameToSend& frame, iovec* pieces) const;
  int SendMessages(int fd, std::span<const FrameToSend> frames);
  int SendXsk(XskOutlet& outlet, std::span<const FrameToSend> frames);
  // Copies the frame into the next free slot. Returns 0, or why it cannot be sent.
  int AddXsk(XskOutlet& outlet, const FrameToSend& frame);
  void Group(std::span<FrameToSend> frames);
  int PrepareDatagrams(std::span<const FrameToSend> frames, std::span<const uint8_t> addresses,
                       size_t ungrouped);

  std::shared_ptr<Mapping> mapping_;
  int lastError_ = 0;
  std::array<mmsghdr, kBatch> messages_{};
  std::array<iovec, 2 * kBatch> pieces_;
  std::array<int, kBatch> framesOf_;  // frames in each message
  std::array<sockaddr_storage, kBatch> names_;
  std::array<Control, kBatch> controls_;
  Grouping grouping_;
  std::array<Grouping::Datagram, Grouping::kMost> datagrams_;
  std::array<FrameToSend, Grouping::kMost> ungrouped_;
};

}  // namespace lacewing
