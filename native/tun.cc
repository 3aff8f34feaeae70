#include "tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "errors.h"
#include "netns.h"

namespace lacewing {

namespace {

// virtio_net_hdr without num_buffers
constexpr int kVnetHeaderBytes = 10;

UniqueFd OpenQueue(const TunOptions& options, int flags) {
  UniqueFd queue(Check(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "open", "/dev/net/tun"));
  ifreq request{};
  std::strncpy(request.ifr_name, options.name.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(flags);
  Check(ioctl(queue.get(), TUNSETIFF, &request), "TUNSETIFF", options.name);
  if (options.vnetHeader) {
    int bytes = kVnetHeaderBytes;
    Check(ioctl(queue.get(), TUNSETVNETHDRSZ, &bytes), "TUNSETVNETHDRSZ", options.name);
    Check(ioctl(queue.get(), TUNSETOFFLOAD, 0UL), "TUNSETOFFLOAD", options.name);
  }
  return queue;
}

}  // namespace

TunDevice OpenTunDevice(const TunOptions& options) {
  TunDevice device{};
  // the namespace that opens /dev/net/tun is where the device is born
  InNetworkNamespace(options.netnsPath, [&] {
    int flags = IFF_TUN | IFF_NO_PI;
    if (options.vnetHeader) flags |= IFF_VNET_HDR;
    if (options.queues > 1) flags |= IFF_MULTI_QUEUE;
    // a device of that name that is there already is not ours
    device.queues.push_back(OpenQueue(options, flags | IFF_TUN_EXCL));
    while (device.queues.size() < options.queues) device.queues.push_back(OpenQueue(options, flags));

    UniqueFd socket(Check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket", options.name));
    ifreq request{};
    std::strncpy(request.ifr_name, options.name.c_str(), IFNAMSIZ - 1);
    Check(ioctl(socket.get(), SIOCGIFINDEX, &request), "SIOCGIFINDEX", options.name);
    device.ifindex = request.ifr_ifindex;
  });
  return device;
}

void SetTunQueue(int fd, bool attached) {
  ifreq request{};
  request.ifr_flags = static_cast<short>(attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);
  Check(ioctl(fd, TUNSETQUEUE, &request), "TUNSETQUEUE", "descriptor " + std::to_string(fd));
}

namespace {

class TunReceiver : public FrameSource {
 public:
  TunReceiver(std::shared_ptr<Mapping> mapping, int fd, uint32_t slots, uint32_t slotBytes,
              uint32_t headroomBytes)
      : mapping_(std::move(mapping)),
        fd_(fd),
        slots_(slots),
        slotBytes_(slotBytes),
        headroomBytes_(headroomBytes),
        stretch_(mapping_->Allocate(Bytes())) {}

  ~TunReceiver() override { mapping_->Free(stretch_, Bytes()); }

  int Receive(ReceivedFrame* frames, int max) override {
    int count = 0;
    while (count < max && used_ < slots_) {
      size_t offset = stretch_ + size_t{used_} * (headroomBytes_ + slotBytes_) + headroomBytes_;
      ssize_t length = read(fd_, mapping_->data() + offset, slotBytes_);
      if (length < 0) {
        if (errno == EINTR) continue;
        // what is there already goes first; a dead device says so again
        return count > 0 || errno == EAGAIN ? count : -errno;
      }
      frames[count++] = {static_cast<int32_t>(offset), static_cast<int32_t>(length),
                         static_cast<int32_t>(length), 0};
      used_ += 1;
    }
    return count;
  }

  void Release() override { used_ = 0; }

  // The device counts what its queues drop (tx_dropped); a queue does not.
  uint32_t Overflows() override { return 0; }

 private:
  size_t Bytes() const { return size_t{slots_} * (size_t{headroomBytes_} + slotBytes_); }

  std::shared_ptr<Mapping> mapping_;
  int fd_;
  uint32_t slots_;
  uint32_t slotBytes_;
  uint32_t headroomBytes_;
  size_t stretch_;
  uint32_t used_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> MakeTunReceiver(std::shared_ptr<Mapping> mapping, int fd, uint32_t slots,
                                             uint32_t slotBytes, uint32_t headroomBytes) {
  return std::make_unique<TunReceiver>(std::move(mapping), fd, slots, slotBytes, headroomBytes);
}

}  // namespace lacewing
