// The 64-octet address records of src/io/addon.ts (ADDRESS_*), and what sockets make of them.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

namespace lacewing {

struct AddressRecord {
  uint8_t family;  // 4 or 6
  uint8_t reserved1;
  uint16_t port;  // network order
  uint32_t scope;
  uint8_t remote[16];
  uint8_t local[16];
  uint32_t ifindex;
  uint32_t groupMax;
  uint8_t tos;
  uint8_t reserved2[15];
};
static_assert(sizeof(AddressRecord) == 64);

// Room for the ancillary data of one datagram, in either direction.
inline constexpr size_t kControlBytes = 128;

// The remote address of a record. Returns its length, or 0 when the family is neither 4 nor 6.
socklen_t ToSockaddr(const AddressRecord& record, sockaddr_storage* address);

// Writes remote address, port and scope.
void FromSockaddr(const sockaddr_storage& address, AddressRecord* record);

// Writes ancillary data of a send: the local address and TOS of a record, where they are not zero, and UDP_SEGMENT
// unless `segmentBytes` is 0. `control` has kControlBytes. Returns the octets written.
size_t WriteControl(const AddressRecord& record, uint16_t segmentBytes, uint8_t* control);

}  // namespace lacewing
