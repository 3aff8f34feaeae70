// The subscribers' side: PPPoE session frames through AF_PACKET.
#pragma once

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

#include "packet.h"
#include "port.h"
#include "sessions.h"

namespace traffic {

class PppoePort : public Port {
 public:
  // Opens its sockets in the namespace that the thread is in. `octets`: of the IP packets.
  PppoePort(const std::string& device, const std::vector<Session>& sessions, size_t octets);
  ~PppoePort() override;
  PppoePort(const PppoePort&) = delete;
  PppoePort& operator=(const PppoePort&) = delete;

  size_t Send(size_t count, Ledger& ledger) override;
  size_t Receive(Ledger& ledger) override;

 private:
  // Ethernet, PPPoE and the PPP protocol field (RFC 2516 §4, §7)
  static constexpr size_t kHeaderBytes = 14 + 6 + 2;
  using Header = std::array<uint8_t, kHeaderBytes>;

  void OpenRing();
  void Judge(const uint8_t* frame, size_t length, Ledger& ledger) const;

  PacketTemplate out_;
  PacketTemplate in_;
  std::vector<Header> headers_;
  // what must come back: the same, with the MAC addresses exchanged
  std::vector<Header> expected_;
  std::vector<int32_t> byPppoeSession_;
  std::vector<uint8_t> packets_;
  std::array<mmsghdr, kLargestBurst> messages_{};
  std::array<std::array<iovec, 2>, kLargestBurst> pieces_{};
  size_t nextSession_ = 0;
  int ifindex_ = 0;
  int sender_ = -1;
  int receiver_ = -1;
  uint8_t* ring_ = nullptr;
  size_t head_ = 0;
};

}  // namespace traffic
