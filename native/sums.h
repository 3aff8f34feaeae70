// Sums of stretches of octets as 16-bit words (RFC 1071), a batch of them at a time: what the Internet checksum of a
// packet that somebody else knows the layout of is made from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lacewing {

// A stretch and its sum, as src/io/addon.ts lays it out (SUM_*).
struct SummedRange {
  int32_t offset;
  int32_t length;
  int32_t sum;
};

// The ones' complement sum of the words in network order, folded to 16 bits. An odd last octet counts as if a zero
// followed.
uint16_t OnesComplementSum(const uint8_t* octets, size_t length);

}  // namespace lacewing
