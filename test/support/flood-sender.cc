// Sends frames on an Ethernet device as fast as the system takes them.
//
//     flood-sender DEVICE MILLISECONDS < FRAMES
//
// FRAMES: each a length in two octets (network order) and the frame. They are sent in turn, again and again. Prints
// {"sent":N,"refused":N,"seconds":S,"processorSeconds":S} at the end: refused ones are those that the device had no
// room for.

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace {

constexpr size_t kBatch = 64;
constexpr size_t kLengthOctets = 2;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "flood-sender: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

std::vector<uint8_t> ReadAll() {
  std::vector<uint8_t> all;
  uint8_t buffer[65536];
  for (ssize_t got; (got = read(STDIN_FILENO, buffer, sizeof buffer)) != 0;) {
    if (got < 0) Fail("reading the frames");
    all.insert(all.end(), buffer, buffer + got);
  }
  return all;
}

std::vector<iovec> Split(std::vector<uint8_t>& all) {
  std::vector<iovec> frames;
  for (size_t at = 0; at + kLengthOctets <= all.size();) {
    size_t length = static_cast<size_t>(all[at] << 8 | all[at + 1]);
    at += kLengthOctets;
    if (length > all.size() - at) {
      errno = EINVAL;
      Fail("a frame that is cut off");
    }
    frames.push_back({all.data() + at, length});
    at += length;
  }
  if (frames.empty()) {
    errno = EINVAL;
    Fail("no frames");
  }
  return frames;
}

int OpenDevice(const char* name) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) Fail("socket");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(if_nametoindex(name));
  if (address.sll_ifindex == 0) Fail(name);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Fail("bind");
  int on = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0) Fail("PACKET_QDISC_BYPASS");
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: flood-sender DEVICE MILLISECONDS\n");
    return 2;
  }
  std::vector<uint8_t> all = ReadAll();
  std::vector<iovec> frames = Split(all);
  int fd = OpenDevice(argv[1]);
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const auto end = begun + std::chrono::milliseconds(std::atol(argv[2]));
  uint64_t sent = 0;
  uint64_t refused = 0;
  size_t next = 0;
  while (Clock::now() < end) {
    mmsghdr batch[kBatch] = {};
    for (mmsghdr& message : batch) {
      message.msg_hdr.msg_iov = &frames[next];
      message.msg_hdr.msg_iovlen = 1;
      next = next + 1 == frames.size() ? 0 : next + 1;
    }
    int done = sendmmsg(fd, batch, kBatch, 0);
    if (done < 0 && errno != ENOBUFS && errno != EAGAIN) Fail("sendmmsg");
    uint64_t taken = done < 0 ? 0 : static_cast<uint64_t>(done);
    sent += taken;
    refused += kBatch - taken;
  }
  const std::chrono::duration<double> seconds = Clock::now() - begun;
  std::printf("{\"sent\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"seconds\":%.3f,\"processorSeconds\":%.3f}\n", sent,
              refused, seconds.count(), static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
  return 0;
}
