// One frame at a time, for the control plane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "address-record.h"

namespace lacewing {

// Takes the largest frame or datagram there is, and the kernel's largest netlink answer, behind room for a tag.
inline constexpr size_t kScratchBytes = 64 * 1024 + 64;

// Both return 0 or a positive errno.
int SendOne(int fd, std::span<const uint8_t> frame);
int SendOneDatagram(int fd, const AddressRecord& to, std::span<const uint8_t> datagram);

// Frames that a packet or UDP socket had no room for since it was opened, modulo 2^32. Unlike SO_RXQ_OVFL it needs no
// frame to ride on.
uint32_t SocketDrops(int fd);

// Reads one frame into `scratch`, its VLAN tag put back. Nothing when there is none now; throws what else recvmsg says.
std::optional<std::span<uint8_t>> ReceiveOne(int fd, std::vector<uint8_t>& scratch);

}  // namespace lacewing
