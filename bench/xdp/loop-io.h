// The system calls of the forwarding loop without what it does between them: the ring of a packet socket, recvmmsg
// with UDP_GRO, sendmmsg with UDP_SEGMENT of what the loop's sender would group, and the loop's AF_XDP socket. What bounds it
// bounds every gateway that forwards by these calls.
#pragma once

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

#include "../../native/grouping.h"
#include "loop-io-frames.h"
#include "sessions.h"

namespace frames {

// Datagrams for one sendmmsg.
class DatagramOutbox {
 public:
  explicit DatagramOutbox(int fd) : fd_(fd) {}

  // A datagram to a peer; neighbours of one size to one peer leave as one message, the last of them may be shorter.
  void Add(iovec datagram, sockaddr_in* to);
  // What the system does not take is lost.
  void Flush();

 private:
  // As many frames as the loop prepares for one call; the kernel's most segments and octets of a group.
  static constexpr size_t kFrames = 128;
  static constexpr size_t kSegments = 64;
  static constexpr size_t kOctets = 65'535 - 28;

  struct alignas(cmsghdr) Control {
    uint8_t octets[CMSG_SPACE(sizeof(uint16_t))];
  };

  int fd_;
  size_t messages_ = 0;
  size_t pieces_ = 0;
  size_t octets_ = 0;
  size_t segment_ = 0;
  bool open_ = false;
  std::array<mmsghdr, kFrames> batch_{};
  std::array<iovec, kFrames> iov_{};
  std::array<Control, kFrames> controls_{};
};

class LoopIo {
 public:
  LoopIo(const std::string& access, in_addr local, const std::vector<in_addr>& peers,
         const std::vector<flow>& sessions);

  // Until a signal.
  void Run();

 private:
  // As the loop has them: src/dataplane/loop/options.ts and forwarding-loop.ts
  static constexpr uint32_t kRingSlots = 16'384;
  static constexpr uint32_t kSlotBytes = 2048;
  static constexpr uint32_t kHeadroom = 16 + 4;
  static constexpr int kSocketBytes = 8 << 20;
  static constexpr size_t kFramesPerBatch = 256;
  static constexpr size_t kDatagramsPerBatch = 16;
  static constexpr size_t kFramesPerTurn = 1024;
  static constexpr size_t kDatagramBytes = 65'536;
  static constexpr size_t kPppoeHead = 14 + 6;
  static constexpr size_t kL2tpHead = 8 + 2;

  using Head = std::array<uint8_t, 24>;

  void OpenRing(const std::string& access);
  void MakeBuffers();
  // Each forwards one batch and returns its frames.
  size_t FromAccess();
  size_t FromCore();
  void FromPppoe(uint8_t* frame, size_t length);
  void SendMessages();
  void FromL2tp(uint8_t* message, size_t length);

  int packet_ = -1;
  int udp_;
  uint8_t* ring_ = nullptr;
  uint32_t next_ = 0;
  std::vector<sockaddr_in> peers_;
  // By PPPoE session id: what goes before PPP in L2TP, and to whom.
  std::vector<Head> l2tpHeads_;
  std::vector<uint16_t> peerOf_;
  // By the place in the file, and that by the session id that the LAC gave, for each tunnel.
  std::vector<Head> pppoeHeads_;
  std::vector<int32_t> places_;
  std::array<int32_t, 65'536> tunnels_;
  // What FromPppoe() has made, and what the loop's sender tells them apart by.
  size_t made_ = 0;
  std::array<iovec, kFramesPerBatch> messages_{};
  std::array<lacewing::Grouping::Datagram, kFramesPerBatch> kinds_{};
  lacewing::Grouping grouping_;
  // What changes in a PPPoE header, one for each frame of a batch.
  std::vector<Head> arena_;
  size_t arenaUsed_ = 0;
  std::vector<uint8_t> buffers_;
  std::array<mmsghdr, kDatagramsPerBatch> datagrams_{};
  std::array<iovec, kDatagramsPerBatch> slots_{};
  std::array<sockaddr_in, kDatagramsPerBatch> names_{};
  struct alignas(cmsghdr) Control {
    uint8_t octets[128];
  };
  std::array<Control, kDatagramsPerBatch> controls_{};
  DatagramOutbox toCore_;
  FrameOutbox toAccess_;
};

}  // namespace frames
