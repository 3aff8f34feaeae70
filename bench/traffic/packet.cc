#include "packet.h"

#include <array>
#include <cstring>
#include <stdexcept>

#include "octets.h"

namespace traffic {

namespace {

constexpr size_t kIpv4Header = 20;
constexpr uint8_t kUdp = 17;
constexpr uint32_t kSubscriber = 0x64400002;  // 100.64.0.2
constexpr uint32_t kFarHost = 0xcb00710a;     // 203.0.113.10

uint32_t Sum(const uint8_t* octets, size_t count, uint32_t sum) {
  for (size_t i = 0; i < count; i += 1) sum += (i & 1) == 0 ? octets[i] << 8 : octets[i];
  return sum;
}

uint16_t Fold(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

}  // namespace

PacketTemplate::PacketTemplate(Direction direction, size_t octets) : packet_(octets) {
  if (octets < kSmallestPacket || octets > 1500)
    throw std::runtime_error("a packet has from 44 to 1500 octets");
  uint8_t* ip = packet_.data();
  uint8_t* udp = ip + kIpv4Header;
  size_t udpOctets = octets - kIpv4Header;
  ip[0] = 0x45;
  PutU16(ip + 2, static_cast<uint16_t>(octets));
  ip[8] = 64;
  ip[9] = kUdp;
  PutU32(ip + 12, direction == Direction::kUp ? kSubscriber : kFarHost);
  PutU32(ip + 16, direction == Direction::kUp ? kFarHost : kSubscriber);
  PutU16(ip + 10, Fold(Sum(ip, kIpv4Header, 0)));
  PutU16(udp, 40000);
  PutU16(udp + 2, 50000);
  PutU16(udp + 4, static_cast<uint16_t>(udpOctets));
  for (size_t i = kSmallestPacket; i < octets; i += 1) packet_[i] = static_cast<uint8_t>(i * 7 + 1);
  Write(ip, {0, 0});
  std::array<uint8_t, 4> pseudo{0, kUdp};
  PutU16(pseudo.data() + 2, static_cast<uint16_t>(udpOctets));
  PutU16(udp + 6, Fold(Sum(udp, udpOctets, Sum(ip + 12, 8, Sum(pseudo.data(), pseudo.size(), 0)))));
}

void PacketTemplate::Write(uint8_t* packet, Stamp stamp) {
  uint8_t* variable = packet + kVariableOffset;
  PutU32(variable, stamp.session);
  PutU32(variable + 4, ~stamp.session);
  PutU32(variable + 8, stamp.sequence);
  PutU32(variable + 12, ~stamp.sequence);
}

bool PacketTemplate::Read(const uint8_t* packet, Stamp* stamp) const {
  if (std::memcmp(packet, packet_.data(), kVariableOffset) != 0) return false;
  const uint8_t* variable = packet + kVariableOffset;
  *stamp = {GetU32(variable), GetU32(variable + 8)};
  if (GetU32(variable + 4) != ~stamp->session || GetU32(variable + 12) != ~stamp->sequence) return false;
  return std::memcmp(packet + kSmallestPacket, packet_.data() + kSmallestPacket,
                     packet_.size() - kSmallestPacket) == 0;
}

}  // namespace traffic
