#include "address-record.h"

#include <netinet/in.h>
#include <linux/udp.h>

#include <algorithm>
#include <cstring>

namespace lacewing {

socklen_t ToSockaddr(const AddressRecord& record, sockaddr_storage* address) {
  if (record.family == 4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = record.port;
    std::memcpy(&in.sin_addr, record.remote, 4);
    std::memcpy(address, &in, sizeof in);
    return sizeof in;
  }
  if (record.family == 6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = record.port;
    in.sin6_scope_id = record.scope;
    std::memcpy(&in.sin6_addr, record.remote, 16);
    std::memcpy(address, &in, sizeof in);
    return sizeof in;
  }
  return 0;
}

void FromSockaddr(const sockaddr_storage& address, AddressRecord* record) {
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    record->family = 4;
    record->port = in.sin_port;
    std::memcpy(record->remote, &in.sin_addr, 4);
  } else if (address.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    record->family = 6;
    record->port = in.sin6_port;
    record->scope = in.sin6_scope_id;
    std::memcpy(record->remote, &in.sin6_addr, 16);
  }
}

namespace {

template <typename Value>
size_t Append(uint8_t* control, size_t at, int level, int type, const Value& value) {
  auto* header = reinterpret_cast<cmsghdr*>(control + at);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(header), &value, sizeof value);
  return at + CMSG_SPACE(sizeof value);
}

bool AllZero(const uint8_t* octets, size_t length) {
  return std::all_of(octets, octets + length, [](uint8_t octet) { return octet == 0; });
}

}  // namespace

size_t WriteControl(const AddressRecord& record, uint16_t segmentBytes, uint8_t* control) {
  size_t length = 0;
  if (record.family == 4 && !AllZero(record.local, 4)) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, record.local, 4);
    length = Append(control, length, IPPROTO_IP, IP_PKTINFO, info);
  } else if (record.family == 6 && !AllZero(record.local, 16)) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, record.local, 16);
    length = Append(control, length, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  if (record.tos != 0) {
    int tos = record.tos;
    length = record.family == 4 ? Append(control, length, IPPROTO_IP, IP_TOS, tos)
                                : Append(control, length, IPPROTO_IPV6, IPV6_TCLASS, tos);
  }
  if (segmentBytes != 0) length = Append(control, length, IPPROTO_UDP, UDP_SEGMENT, segmentBytes);
  return length;
}

}  // namespace lacewing
