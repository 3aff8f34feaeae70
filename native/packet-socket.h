// AF_PACKET sockets: opening, and the ring that is mapped from one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "frame-source.h"
#include "mapping.h"
#include "unique-fd.h"

namespace lacewing {

struct FanoutOptions {
  uint32_t group;
  uint32_t mode;
  std::optional<std::span<uint8_t>> program;
};

struct PacketOptions {
  int ifindex;
  std::string name;
  uint16_t protocol;
  std::span<uint8_t> filter;
  uint32_t ringSlots;
  uint32_t slotBytes;
  uint32_t headroomBytes;
  int sendBufferBytes;
  // 0: as the system has it. A ring takes its place.
  int receiveBufferBytes;
  bool bypassQdisc;
  bool promiscuous;
  std::optional<FanoutOptions> fanout;

  size_t ringBytes() const { return size_t{ringSlots} * slotBytes; }
};

UniqueFd OpenPacketSocket(const PacketOptions& options);

// The group that a socket has joined.
uint32_t FanoutGroup(int fd);

// Maps the ring of a socket that was opened with these options.
std::unique_ptr<FrameSource> MapPacketRing(std::shared_ptr<Mapping> mapping, int fd,
                                           const PacketOptions& options);

}  // namespace lacewing
