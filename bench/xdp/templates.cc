#include "templates.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "octets.h"

namespace frames {

namespace {

constexpr uint8_t kUdp = 17;
constexpr uint16_t kL2tpPort = 1701;
constexpr in_addr_t kSubscriber = 0x64400002;  // 100.64.0.2
constexpr in_addr_t kFarHost = 0xcb00710a;     // 203.0.113.10

uint32_t Sum(const uint8_t* octets, size_t count, uint32_t sum = 0) {
  for (size_t i = 0; i < count; i += 1) {
    sum += (i & 1) == 0 ? octets[i] << 8 : octets[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

uint16_t Fold(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

// 20 octets without options; nobody fragments it
void PutIpv4(uint8_t* at, uint32_t octets, in_addr_t source, in_addr_t destination) {
  at[0] = 0x45;
  PutU16(at + 2, static_cast<uint16_t>(octets));
  PutU16(at + 6, 0x4000);
  at[8] = 64;
  at[9] = kUdp;
  PutU32(at + 12, source);
  PutU32(at + 16, destination);
  PutU16(at + 10, static_cast<uint16_t>(~Fold(Sum(at, 20))));
}

// without extension headers
void PutIpv6(uint8_t* at, uint32_t payload, const IpAddress& source, const IpAddress& destination) {
  at[0] = 0x60;
  PutU16(at + 4, static_cast<uint16_t>(payload));
  at[6] = kUdp;
  at[7] = 64;
  std::ranges::copy(source, at + 8);
  std::ranges::copy(destination, at + 24);
}

// The sum of the pseudo header, which has both addresses, and of `octets` of UDP.
uint32_t UdpSum(const uint8_t* addresses, size_t addressOctets, const uint8_t* udp, size_t octets, size_t udpOctets) {
  uint8_t pseudo[4] = {0, kUdp};
  PutU16(pseudo + 2, static_cast<uint16_t>(udpOctets));
  return Sum(udp, octets, Sum(addresses, addressOctets, Sum(pseudo, sizeof pseudo)));
}

// The stamp, fields and complements, adds as many 0xffff, which is nothing.
std::vector<uint8_t> Packet(in_addr_t source, in_addr_t destination, uint32_t octets) {
  std::vector<uint8_t> packet(octets);
  uint8_t* udp = packet.data() + 20;
  PutIpv4(packet.data(), octets, source, destination);
  PutU16(udp, 40000);
  PutU16(udp + 2, 50000);
  PutU16(udp + 4, static_cast<uint16_t>(octets - 20));
  for (uint32_t i = 0; PATTERN + 4 * i < octets; i += 1) {
    uint32_t word = patternWord(i);
    std::memcpy(packet.data() + PATTERN + 4 * i, &word, std::min<size_t>(4, octets - PATTERN - 4 * i));
  }
  PutU16(udp + 6, static_cast<uint16_t>(~Fold(UdpSum(packet.data() + 12, 8, udp, octets - 20, octets - 20))));
  return packet;
}

std::vector<uint8_t> Packet(int direction, uint32_t octets) {
  return direction == UP ? Packet(kSubscriber, kFarHost, octets) : Packet(kFarHost, kSubscriber, octets);
}

// Headers without an address: an address is nothing in a sum that is not complemented yet.
void PutInnerHeaders(uint8_t* at, const std::vector<uint8_t>& packet) {
  std::memcpy(at, packet.data(), INNER_HEADERS);
  for (int checksum : {10, 26}) PutU16(at + checksum, static_cast<uint16_t>(~GetU16(at + checksum)));
}

}  // namespace

headers PppoeHeaders(const Mac& concentrator, uint32_t octets, bool addressed) {
  headers all{};
  uint8_t* frame = all.octets;
  std::memcpy(frame, concentrator.data(), 6);
  PutU16(frame + 12, 0x8864);
  PutU16(frame + 14, 0x1100);
  PutU16(frame + 18, static_cast<uint16_t>(octets + 2));
  PutU16(frame + 20, 0x0021);
  if (addressed)
    PutInnerHeaders(frame + PPPOE_HEADERS, Packet(0, kFarHost, octets));
  else
    std::memcpy(frame + PPPOE_HEADERS, Packet(UP, octets).data(), INNER_HEADERS);
  return all;
}

headers PlainHeaders(const Ends& ends, uint32_t octets) {
  headers all{};
  uint8_t* frame = all.octets;
  std::memcpy(frame, ends.destination.data(), 6);
  std::memcpy(frame + 6, ends.source.data(), 6);
  PutU16(frame + 12, 0x0800);
  PutInnerHeaders(frame + PLAIN_HEADERS, Packet(kFarHost, 0, octets));
  return all;
}

headers L2tpHeaders(const Ends& ends, uint32_t octets, bool addressed) {
  headers all{};
  uint8_t* frame = all.octets;
  std::memcpy(frame, ends.destination.data(), 6);
  std::memcpy(frame + 6, ends.source.data(), 6);
  uint8_t* ip = frame + 14;
  uint32_t udpOctets = L2TP_HEADERS - 34 + octets;
  size_t addressOctets = ends.sourceAddress.size();
  uint32_t surplus = addressOctets == 16 ? IPV6_SURPLUS : 0;
  uint8_t* udp = ip + 20 + surplus;
  PutU16(frame + 12, surplus == 0 ? 0x0800 : 0x86dd);
  if (surplus == 0)
    PutIpv4(ip, udpOctets + 20, GetU32(ends.sourceAddress.data()), GetU32(ends.destinationAddress.data()));
  else
    PutIpv6(ip, udpOctets, ends.sourceAddress, ends.destinationAddress);
  PutU16(udp, kL2tpPort);
  PutU16(udp + 2, kL2tpPort);
  PutU16(udp + 4, static_cast<uint16_t>(udpOctets));
  PutU16(udp + 8, 0x4002);
  PutU16(udp + 10, static_cast<uint16_t>(udpOctets - 8));
  PutU16(udp + 16, 0xff03);
  PutU16(udp + 18, 0x0021);
  std::vector<uint8_t> packet = addressed ? Packet(0, kFarHost, octets) : Packet(DOWN, octets);
  // addresses are what either header ends with
  uint32_t sum = UdpSum(udp - 2 * addressOctets, 2 * addressOctets, udp, L2TP_HEADERS - 34, udpOctets);
  // octets of the packet are at even places
  PutU16(udp + 6, Fold(Sum(packet.data(), packet.size(), sum)));
  if (addressed)
    PutInnerHeaders(frame + L2TP_HEADERS + surplus, packet);
  else
    std::memcpy(frame + L2TP_HEADERS + surplus, packet.data(), INNER_HEADERS);
  return all;
}

std::vector<uint8_t> BareFrame(uint32_t octets, uint32_t surplus) {
  std::vector<uint8_t> frame(L2TP_HEADERS + surplus + octets);
  std::memcpy(frame.data() + L2TP_HEADERS + surplus, Packet(DOWN, octets).data(), octets);
  return frame;
}

}  // namespace frames
