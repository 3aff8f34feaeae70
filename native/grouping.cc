#include "grouping.h"

#include <algorithm>

namespace lacewing {

Grouping::Kind& Grouping::Find(const Datagram& datagram) {
  // records are 64 octets apart, sizes one
  uint32_t at = ((datagram.address >> 6) * 0x9e3779b1u ^ datagram.octets * 0x85ebca6bu) >> 16;
  for (;; at += 1) {
    Kind& kind = kinds_[at % kKinds];
    if (kind.round != round_ || (kind.address == datagram.address && kind.octets == datagram.octets))
      return kind;
  }
}

std::span<const uint16_t> Grouping::Order(std::span<const Datagram> datagrams) {
  const size_t count = std::min(datagrams.size(), kMost);
  round_ += 1;
  if (round_ == 0) {
    kinds_.fill({});
    round_ = 1;
  }
  groupOfFlow_.fill(0);
  uint16_t groups = 0;
  bool inOrder = true;
  for (size_t i = 0; i < count; i++) {
    const Datagram& datagram = datagrams[i];
    uint16_t& earliest = groupOfFlow_[datagram.flow];
    Kind& kind = Find(datagram);
    // a group before the one that its flow has come to would put it before what it follows
    if (kind.round != round_ || kind.group < earliest) {
      kind = {round_, datagram.address, datagram.octets, groups};
      placeOfGroup_[groups++] = 0;
    } else if (kind.group + 1 != groups) {
      inOrder = false;
    }
    earliest = groupOf_[i] = kind.group;
    placeOfGroup_[kind.group] += 1;
  }
  if (inOrder) return {};
  uint16_t place = 0;
  for (uint16_t group = 0; group < groups; group++) {
    uint16_t members = placeOfGroup_[group];
    placeOfGroup_[group] = place;
    place += members;
  }
  for (size_t i = 0; i < count; i++) order_[placeOfGroup_[groupOf_[i]]++] = static_cast<uint16_t>(i);
  return {order_.data(), count};
}

}  // namespace lacewing
