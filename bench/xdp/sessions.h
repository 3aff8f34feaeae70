// The sessions that traffic runs through, as the control plane of the benchmark set them up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace traffic {

using Mac = std::array<uint8_t, 6>;

struct Session {
  Mac subscriberMac;
  Mac concentratorMac;
  uint16_t pppoeSessionId;
  // what the LNS chose: in messages towards it
  uint16_t lnsTunnelId;
  uint16_t lnsSessionId;
  // what the LAC chose: in messages towards it
  uint16_t lacTunnelId;
  uint16_t lacSessionId;
};

// One session a line: two MAC addresses and the five ids in the order above. Throws std::runtime_error.
std::vector<Session> ReadSessions(const std::string& path);

}  // namespace traffic
