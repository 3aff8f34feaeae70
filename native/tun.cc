#include "tun.h"

#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "errors.h"

namespace lacewing {

namespace {

// virtio_net_hdr without num_buffers
constexpr int kVnetHeaderBytes = 10;

#ifndef TUN_F_USO4  // headers before Linux 6.2
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

constexpr unsigned kTcpSegments = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
// What we take of the host unfinished, the best that the kernel knows of.
constexpr unsigned kOffloads[] = {kTcpSegments | TUN_F_USO4 | TUN_F_USO6, kTcpSegments, 0};

// Sums and segments that the host leaves to us, or nothing of that. Returns what the kernel has agreed to.
unsigned SetOffloads(int queue, bool segments, const std::string& name) {
  for (unsigned offloads : kOffloads) {
    if (offloads != 0 && !segments) continue;
    if (ioctl(queue, TUNSETOFFLOAD, static_cast<unsigned long>(offloads)) == 0) return offloads;
    if (errno != EINVAL) break;
  }
  throw SystemFailure(errno, "TUNSETOFFLOAD", name);
}

struct Queue {
  UniqueFd fd;
  unsigned offloads;
};

Queue OpenQueue(UniqueFd queue, const TunOptions& options, int flags) {
  ifreq request{};
  std::strncpy(request.ifr_name, options.name.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(flags);
  Check(ioctl(queue.get(), TUNSETIFF, &request), "TUNSETIFF", options.name);
  unsigned offloads = 0;
  if (options.vnetHeader) {
    int bytes = kVnetHeaderBytes;
    int littleEndian = 1;
    Check(ioctl(queue.get(), TUNSETVNETHDRSZ, &bytes), "TUNSETVNETHDRSZ", options.name);
    Check(ioctl(queue.get(), TUNSETVNETLE, &littleEndian), "TUNSETVNETLE", options.name);
    offloads = SetOffloads(queue.get(), options.segments, options.name);
  }
  return {std::move(queue), offloads};
}

}  // namespace

TunDevice OpenTunDevice(const TunOptions& options, std::vector<UniqueFd> tuns, int socket) {
  TunDevice device{};
  size_t queues = tuns.size();
  auto steered = [&](auto&& attempt) {
    if (queues == 1 || options.steering == TunSteering::kByFlow) return;
    try {
      attempt();
    } catch (const SystemFailure& failure) {
      device.refusal = failure.what();
      queues = 1;
    }
  };
  // first of all: a device that has one queue is to be one that can have no more, which the host spends less on
  std::optional<UniqueFd> program;
  steered([&] { program = LoadTunSteering(options.steering); });
  int flags = IFF_TUN | IFF_NO_PI;
  if (options.vnetHeader) flags |= IFF_VNET_HDR;
  if (queues > 1) flags |= IFF_MULTI_QUEUE;
  // a device of that name that is there already is not ours
  Queue first = OpenQueue(std::move(tuns.front()), options, flags | IFF_TUN_EXCL);
  device.segmentsUdp = (first.offloads & TUN_F_USO4) != 0;
  device.queues.push_back(std::move(first.fd));
  steered([&] { SteerTun(device.queues.front().get(), program->get()); });
  for (size_t i = 1; i < queues; i++)
    device.queues.push_back(OpenQueue(std::move(tuns[i]), options, flags).fd);

  ifreq request{};
  std::strncpy(request.ifr_name, options.name.c_str(), IFNAMSIZ - 1);
  Check(ioctl(socket, SIOCGIFINDEX, &request), "SIOCGIFINDEX", options.name);
  device.ifindex = request.ifr_ifindex;
  return device;
}

void SetTunQueue(int fd, bool attached) {
  ifreq request{};
  request.ifr_flags = static_cast<short>(attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);
  Check(ioctl(fd, TUNSETQUEUE, &request), "TUNSETQUEUE", "descriptor " + std::to_string(fd));
}

namespace {

// Packets one behind the other: what is read of a device that has small ones stays in few pages.
class TunReceiver : public FrameSource {
 public:
  TunReceiver(std::shared_ptr<Mapping> mapping, int fd, const TunBuffers& buffers)
      : mapping_(std::move(mapping)), fd_(fd), buffers_(buffers) {}

  int Receive(ReceivedFrame* frames, int max) override {
    int count = 0;
    while (count < max && used_ + buffers_.headroomBytes + buffers_.largestBytes <= buffers_.areaBytes) {
      size_t offset = buffers_.area + used_ + buffers_.headroomBytes;
      ssize_t length = read(fd_, mapping_->data() + offset, buffers_.largestBytes);
      if (length < 0) {
        if (errno == EINTR) continue;
        // what is there already goes first; a dead device says so again
        return count > 0 || errno == EAGAIN ? count : -errno;
      }
      frames[count++] = {static_cast<int32_t>(offset), static_cast<int32_t>(length),
                         static_cast<int32_t>(length), 0};
      // cache lines are not shared
      used_ = (used_ + buffers_.headroomBytes + static_cast<size_t>(length) + 63) & ~size_t{63};
    }
    return count;
  }

  void Release() override { used_ = 0; }

  // The device counts what its queues drop (tx_dropped); a queue does not.
  uint32_t Overflows() override { return 0; }

 private:
  std::shared_ptr<Mapping> mapping_;
  int fd_;
  TunBuffers buffers_;
  size_t used_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> MakeTunReceiver(std::shared_ptr<Mapping> mapping, int fd,
                                             const TunBuffers& buffers) {
  return std::make_unique<TunReceiver>(std::move(mapping), fd, buffers);
}

}  // namespace lacewing
