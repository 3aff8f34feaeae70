// Batches of datagrams by sendmmsg. Those of one size to one address are made neighbours, and these one
// message, which the kernel (or the network card) cuts up again: UDP_SEGMENT.

#include <linux/udp.h>
#include <netinet/in.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "frame-sender.h"
#include "udp-socket.h"

namespace lacewing {

namespace {

// UDP_MAX_SEGMENTS of every kernel (newer ones take 128)
constexpr int kMostSegments = 64;
// what fits one IP packet under the headers, which the uncut message must
constexpr size_t kMostOctets4 = 65535 - 20 - 8;
constexpr size_t kMostOctets6 = 65535 - 40 - 8;

// By descriptor, for all threads: written when one is opened. One beyond the table is tried each time.
constexpr int kRemembered = 4096;
std::atomic<bool> noSegments[kRemembered];

bool SegmentsAllowed(int fd) {
  return fd < 0 || fd >= kRemembered || !noSegments[fd].load(std::memory_order_relaxed);
}

bool IsRefusalOfSegments(int error) { return error == EINVAL || error == EIO || error == EMSGSIZE; }

size_t Length(const FrameToSend& frame) {
  return static_cast<size_t>(frame.headLength) + static_cast<size_t>(frame.bodyLength);
}

}  // namespace

void FrameSender::AllowSegments(int fd, bool allowed) {
  if (fd >= 0 && fd < kRemembered) noSegments[fd].store(!allowed, std::memory_order_relaxed);
}

// Makes neighbours of what can leave as one message.
void FrameSender::Group(std::span<FrameToSend> frames) {
  for (size_t from = 0; from < frames.size(); from += Grouping::kMost) {
    std::span<FrameToSend> part = frames.subspan(from, std::min(Grouping::kMost, frames.size() - from));
    for (size_t i = 0; i < part.size(); i++)
      datagrams_[i] = {static_cast<uint32_t>(part[i].address), static_cast<uint32_t>(Length(part[i])),
                       static_cast<uint8_t>(part[i].user)};
    std::span<const uint16_t> order = grouping_.Order({datagrams_.data(), part.size()});
    if (order.empty()) continue;
    std::ranges::copy(part, ungrouped_.begin());
    for (size_t i = 0; i < part.size(); i++) part[i] = ungrouped_[order[i]];
  }
}

// Makes messages of the first frames, of the first `ungrouped` one each. Returns the number of messages; 0
// when the first frame is not usable.
int FrameSender::PrepareDatagrams(std::span<const FrameToSend> frames, std::span<const uint8_t> addresses,
                                  size_t ungrouped) {
  size_t end = std::min<size_t>(kBatch, frames.size());
  size_t next = 0;
  int prepared = 0;
  int pieces = 0;
  while (next < end) {
    const FrameToSend& first = frames[next];
    if (!Usable(first) || first.address < 0 ||
        static_cast<size_t>(first.address) + sizeof(AddressRecord) > addresses.size())
      break;
    // a copy: other threads may write to the table
    AddressRecord record;
    std::memcpy(&record, addresses.data() + first.address, sizeof record);

    msghdr& message = messages_[prepared].msg_hdr;
    message = {};
    message.msg_name = &names_[prepared];
    message.msg_namelen = ToSockaddr(record, &names_[prepared]);
    if (message.msg_namelen == 0) break;
    message.msg_iov = &pieces_[pieces];
    pieces += Gather(first, &pieces_[pieces]);

    size_t segment = Length(first);
    size_t octets = segment;
    int grouped = 1;
    if (next >= ungrouped && segment <= record.groupMax) {
      const size_t most = record.family == 4 ? kMostOctets4 : kMostOctets6;
      bool full = true;
      while (full && grouped < kMostSegments && next + grouped < end) {
        const FrameToSend& more = frames[next + grouped];
        if (more.address != first.address || !Usable(more)) break;
        size_t length = Length(more);
        if (length > segment || octets + length > most) break;
        pieces += Gather(more, &pieces_[pieces]);
        octets += length;
        grouped += 1;
        // only the last segment may be shorter
        full = length == segment;
      }
    }
    message.msg_iovlen = &pieces_[pieces] - message.msg_iov;
    size_t control =
        WriteControl(record, grouped > 1 ? static_cast<uint16_t>(segment) : 0, controls_[prepared].octets);
    if (control > 0) {
      message.msg_control = controls_[prepared].octets;
      message.msg_controllen = control;
    }
    framesOf_[prepared++] = grouped;
    next += grouped;
  }
  return prepared;
}

int FrameSender::SendUdp(int fd, std::span<FrameToSend> frames, std::span<const uint8_t> addresses) {
  lastError_ = 0;
  size_t sent = 0;
  const bool segments = SegmentsAllowed(fd);
  if (segments) Group(frames);
  // frames before this one go singly
  size_t singlyUpTo = segments ? 0 : frames.size();
  // the frame that a report about an earlier datagram came instead of; it is tried once more
  size_t retried = frames.size();
  while (sent < frames.size()) {
    int prepared =
        PrepareDatagrams(frames.subspan(sent), addresses, singlyUpTo > sent ? singlyUpTo - sent : 0);
    if (prepared == 0) {
      lastError_ = EFAULT;
      break;
    }
    int taken = sendmmsg(fd, messages_.data(), prepared, MSG_DONTWAIT);
    if (taken > 0) {
      for (int i = 0; i < taken; i++) sent += framesOf_[i];
    } else if (errno == EINTR) {
      continue;
    } else if (framesOf_[0] > 1 && IsRefusalOfSegments(errno)) {
      singlyUpTo = sent + framesOf_[0];
    } else if (IsReportOfEarlierDatagram(errno) && retried != sent) {
      retried = sent;
    } else {
      lastError_ = errno;
      break;
    }
  }
  return static_cast<int>(sent);
}

}  // namespace lacewing
