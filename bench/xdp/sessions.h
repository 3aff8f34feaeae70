// The sessions that traffic runs through, as the control plane of the benchmark set them up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "frames.h"

namespace frames {

using Mac = std::array<uint8_t, 6>;
// 4 octets or 16, in network order.
using IpAddress = std::vector<uint8_t>;

// Throws std::runtime_error.
Mac ParseMac(const std::string& text);

// One session a line: the subscriber's MAC address, the PPPoE session id, tunnel and session ids that the LNS chose,
// those that the LAC chose, the LNS's place among the peers, and the subscriber's IPv4 address where that matters. Throws
// std::runtime_error.
std::vector<flow> ReadSessions(const std::string& path);

}  // namespace frames
