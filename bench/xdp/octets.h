// Numbers in network order.
#pragma once

#include <endian.h>

#include <cstdint>
#include <cstring>

namespace frames {

inline void PutU16(uint8_t* at, uint16_t value) {
  value = htobe16(value);
  std::memcpy(at, &value, sizeof value);
}

inline void PutU32(uint8_t* at, uint32_t value) {
  value = htobe32(value);
  std::memcpy(at, &value, sizeof value);
}

inline uint16_t GetU16(const uint8_t* at) {
  uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return be16toh(value);
}

inline uint32_t GetU32(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return be32toh(value);
}

}  // namespace frames
