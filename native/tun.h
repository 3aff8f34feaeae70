// TUN devices: creating, queues, and receiving in batches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "frame-source.h"
#include "mapping.h"
#include "unique-fd.h"

namespace lacewing {

struct TunOptions {
  std::string name;
  std::string netnsPath;  // empty: this one
  uint32_t queues;
  bool vnetHeader;
};

struct TunDevice {
  std::vector<UniqueFd> queues;
  int ifindex;
};

// Creates a device that was not there. It is down and without addresses, and goes when its last queue is closed.
TunDevice OpenTunDevice(const TunOptions& options);

void SetTunQueue(int fd, bool attached);

std::unique_ptr<FrameSource> MakeTunReceiver(std::shared_ptr<Mapping> mapping, int fd, uint32_t slots,
                                             uint32_t slotBytes, uint32_t headroomBytes);

}  // namespace lacewing
