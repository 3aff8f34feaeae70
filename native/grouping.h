// Puts a batch of datagrams in an order in which more of them can leave as one message (UDP_SEGMENT). What
// alternates between peers or sizes has no neighbours of one kind by itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lacewing {

class Grouping {
 public:
  // More are not looked at together.
  static constexpr size_t kMost = 256;

  struct Datagram {
    uint32_t address;
    uint32_t octets;
    // datagrams of one flow keep their order
    uint8_t flow;
  };

  // The places of the datagrams, kMost at most, in the order in which they should leave: those of one size to
  // one address behind each other as far as flows let them. Empty when they are in it already. Valid until
  // the next call.
  std::span<const uint16_t> Order(std::span<const Datagram> datagrams);

 private:
  // Twice as many as there can be kinds, so that a free one is near.
  static constexpr uint32_t kKinds = 2 * kMost;

  // An address and size, and the last group of it that was begun.
  struct Kind {
    uint32_t round;
    uint32_t address;
    uint32_t octets;
    uint16_t group;
  };

  // Its entry, or a free one.
  Kind& Find(const Datagram& datagram);

  uint32_t round_ = 0;  // what other rounds have left in kinds_ is free
  std::array<Kind, kKinds> kinds_{};
  std::array<uint16_t, 256> groupOfFlow_;
  std::array<uint16_t, kMost> groupOf_;
  std::array<uint16_t, kMost> placeOfGroup_;
  std::array<uint16_t, kMost> order_;
};

}  // namespace lacewing
