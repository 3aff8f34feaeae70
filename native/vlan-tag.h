// The kernel takes the outermost VLAN tag out of a frame and hands it over as metadata; this undoes it.
#pragma once

#include <endian.h>

#include <cstdint>
#include <cstring>

namespace lacewing {

inline constexpr uint32_t kVlanTagBytes = 4;

// Moves both MAC addresses (12 octets) 4 octets into the headroom before `frame` and writes the tag between
// them and the EtherType. Returns where the frame starts now.
inline uint8_t* PutBackVlanTag(uint8_t* frame, uint16_t tpid, uint16_t tci) {
  uint8_t* start = frame - kVlanTagBytes;
  std::memmove(start, frame, 12);
  uint16_t tag[2] = {htobe16(tpid), htobe16(tci)};
  std::memcpy(start + 12, tag, sizeof tag);
  return start;
}

}  // namespace lacewing
