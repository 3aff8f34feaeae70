// The LNS's side: L2TP data messages over its UDP socket.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "packet.h"
#include "port.h"
#include "sessions.h"

namespace traffic {

class L2tpPort : public Port {
 public:
  // `fd`: a UDP socket with UDP_GRO, bound to the LNS's address; somebody else's, and stays open.
  L2tpPort(int fd, const sockaddr_in& lac, const std::vector<Session>& sessions, size_t octets);

  size_t Send(size_t count, Ledger& ledger) override;
  size_t Receive(Ledger& ledger) override;

 private:
  // L2TP with the Length field, FF03 and the PPP protocol field (RFC 2661 §3.1)
  static constexpr size_t kHeaderBytes = 8 + 2 + 2;
  static constexpr size_t kReceiveSlots = 16;
  static constexpr size_t kReceiveSlotBytes = 65536;
  static constexpr size_t kControlBytes = 64;
  using Header = std::array<uint8_t, kHeaderBytes>;

  void Judge(const uint8_t* message, size_t length, Ledger& ledger) const;

  int fd_;
  sockaddr_in lac_;
  PacketTemplate out_;
  PacketTemplate in_;
  const std::vector<Session>& sessions_;
  std::vector<Header> headers_;
  std::vector<int32_t> byLnsSession_;
  std::vector<uint8_t> packets_;
  std::array<iovec, 2 * kLargestBurst> pieces_{};
  size_t nextSession_ = 0;
  std::vector<uint8_t> buffers_;
  std::array<mmsghdr, kReceiveSlots> messages_{};
  std::array<iovec, kReceiveSlots> slots_{};
  struct alignas(cmsghdr) Control {
    std::array<uint8_t, kControlBytes> octets;
  };
  std::array<Control, kReceiveSlots> controls_{};
};

}  // namespace traffic
