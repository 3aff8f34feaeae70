// The IP packets that are carried: UDP over IPv4, all octets known beforehand but for who sends it and its number.
//
//    0   IPv4 header, 20 octets
//   20   UDP header, 8 octets
//   28   session      u32, and its complement
//   36   sequence     u32, and its complement
//   44   a pattern up to the end
//
// A field and its complement add nothing to a one's complement sum, so that one UDP checksum is right for all of
// them, and a field that was damaged shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace traffic {

enum class Direction : uint8_t { kUp, kDown };

constexpr size_t kSmallestPacket = 44;
constexpr size_t kVariableOffset = 28;

struct Stamp {
  uint32_t session;
  uint32_t sequence;
};

class PacketTemplate {
 public:
  // `octets`: of the IP packet, at least kSmallestPacket.
  PacketTemplate(Direction direction, size_t octets);

  size_t octets() const { return packet_.size(); }
  const uint8_t* data() const { return packet_.data(); }

  // Writes the fields that change into a copy of the packet.
  static void Write(uint8_t* packet, Stamp stamp);

  // Whether `packet` of octets() is one of this template, every octet of it; then its stamp.
  bool Read(const uint8_t* packet, Stamp* stamp) const;

 private:
  std::vector<uint8_t> packet_;
};

}  // namespace traffic
