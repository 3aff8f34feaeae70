// TUN devices: creating, queues, and receiving in batches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "frame-source.h"
#include "mapping.h"
#include "namespace-files.h"
#include "tun-steering.h"
#include "unique-fd.h"

namespace lacewing {

struct TunOptions {
  std::string name;
  uint32_t queues;
  bool vnetHeader;
  bool segments;  // with the header: packets larger than the MTU, and without checksums, are ours to finish
  TunSteering steering;
};

struct TunDevice {
  std::vector<UniqueFd> queues;
  std::string refusal;  // why there is one queue instead of several
  int ifindex;
  bool segmentsUdp;  // the kernel leaves UDP's segments to us, too, and takes ours: since Linux 6.2
};

// Creates a device that was not there, of `tuns`, one for each queue, in the namespace that they and
// `socket`, any socket, were opened in. It is down and without addresses, and goes when its last queue is
// closed. Where the kernel does not let us steer, it has one queue.
TunDevice OpenTunDevice(const TunOptions& options, std::vector<UniqueFd> tuns, int socket);

void SetTunQueue(int fd, bool attached);

// A stretch of a mapping that packets are read into. Several receivers may use it in turn.
struct TunBuffers {
  size_t area;
  size_t areaBytes;
  size_t largestBytes;   // of one packet, with the vnet header
  size_t headroomBytes;  // free before each
};

std::unique_ptr<FrameSource> MakeTunReceiver(std::shared_ptr<Mapping> mapping, int fd,
                                             const TunBuffers& buffers);

}  // namespace lacewing
