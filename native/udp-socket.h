// UDP sockets: opening, receiving in batches, and the error queue.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "address-record.h"
#include "frame-source.h"
#include "mapping.h"
#include "unique-fd.h"

namespace lacewing {

struct UdpOptions {
  AddressRecord bound;  // what to bind to, in the fields of a remote address
  std::string name;     // the address as text, for messages
  int ifindex;
  bool freeBind;
  bool reusePort;
  std::optional<std::span<uint8_t>> reusePortProgram;
  int receiveBufferBytes;
  int sendBufferBytes;
  bool gro;
  bool checksum;
  bool clearDf;
};

UniqueFd OpenUdpSocket(const UdpOptions& options);

std::unique_ptr<FrameSource> MakeUdpReceiver(std::shared_ptr<Mapping> mapping, int fd, uint32_t slots,
                                             uint32_t slotBytes);

struct QueuedError {
  int error;
  uint32_t info;
  AddressRecord destination;
  // Of an ICMP error; 0 and no family when the host says so itself.
  uint8_t icmpType;
  uint8_t icmpCode;
  AddressRecord reporter;
};

// Takes the oldest reports off a socket's error queue, at most 64.
std::vector<QueuedError> ReadErrorQueue(int fd);

// An error of some earlier datagram, which the kernel reports on the next call of any kind and then forgets.
bool IsReportOfEarlierDatagram(int error);

}  // namespace lacewing
