// The octets of frames, as far as they are the same for all sessions.
#pragma once

#include <cstdint>
#include <vector>

#include "sessions.h"

namespace frames {

// One direction's ends. Both addresses, or none, are IPv6.
struct Ends {
  Mac source;
  Mac destination;
  IpAddress sourceAddress;
  IpAddress destinationAddress;
};

// Of PPPoE frames: the subscriber's MAC address and the session id are left out; with `addressed`, also his address and
// what it adds to checksums.
headers PppoeHeaders(const Mac& concentrator, uint32_t octets, bool addressed = false);
// Of L2TP data messages: ids and the checksum's complement are left out; with `addressed`, also the subscriber's address
// and what it adds to checksums.
headers L2tpHeaders(const Ends& ends, uint32_t octets, bool addressed = false);
// Of packets that a far host sends to subscribers, likewise without the address.
headers PlainHeaders(const Ends& ends, uint32_t octets);
// What a frame is before its headers are written: the pattern behind room for the longest. `surplus`: of IPv6 outside.
std::vector<uint8_t> BareFrame(uint32_t octets, uint32_t surplus = 0);

}  // namespace frames
