// How long frames of very many sessions still take the old way once their LNS has been moved to another address or
// device:
//
//     diversion SESSIONS RATE SUBSCRIBER-NETNS DEVICE ACCESS-MAC LNS-NETNS DEVICE[,DEVICE] -- COMMAND...
//
// It sends PPPoE frames of one session after the other, RATE of them a second, and sees on which device, and for which
// MAC address, they come out of the LAC as L2TP. Then it runs the command, which changes that, goes on until every
// session has sent once more, and prints one line of JSON.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "failure.h"
#include "netns.h"
#include "octets.h"
#include "sessions.h"

namespace frames {

namespace {

constexpr uint64_t kNsPerMs = 1'000'000;
// Everything that is looked up at first has been.
constexpr uint64_t kSettlingNs = 300 * kNsPerMs;
constexpr uint64_t kDrainNs = 200 * kNsPerMs;
constexpr uint64_t kPatienceNs = 20'000 * kNsPerMs;
constexpr int kReceiveBuffer = 8 << 20;
// Of frames after which what has come is looked at, and at once when the machine has held us up.
constexpr uint64_t kBurst = 32;

// PPP in PPPoE, behind the Ethernet header: what the frame is known by at the other end.
constexpr uint32_t kMark = 0x4c61ce77;
constexpr size_t kPayload = 12;
constexpr size_t kFrame = PPPOE_HEADERS + kPayload;

uint64_t NowNs() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

int PacketSocket(const std::string& device, int protocol) {
  int fd = Must(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "packet socket");
  Must(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer), "SO_RCVBUFFORCE");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(static_cast<uint16_t>(protocol));
  address.sll_ifindex = IndexOf(device);
  Must(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), device);
  return fd;
}

// Where frames come out.
struct Way {
  size_t device;
  Mac destination;
  bool operator==(const Way&) const = default;
};

struct Sent {
  uint64_t atNs;
  std::optional<Way> way;
};

class Diversion {
 public:
  Diversion(std::vector<flow> sessions, uint64_t rate, Mac access)
      : sessions_(std::move(sessions)), rate_(rate), access_(access) {}

  void SendOn(const Device& device) {
    Netns(device.netns).Enter();
    out_ = PacketSocket(device.name, 0);
  }

  void ReceiveOn(const Device& device) {
    Netns(device.netns).Enter();
    in_.push_back(PacketSocket(device.name, ETH_P_IP));
  }

  void Run(char** command) {
    startNs_ = NowNs();
    uint64_t change = 0;
    uint64_t round = 0;
    pid_t child = 0;
    for (;;) {
      uint64_t now = NowNs();
      if (now - startNs_ > kPatienceNs) throw std::runtime_error("no end of it");
      SendDue(now);
      Receive();
      if (change == 0 && now - startNs_ > kSettlingNs) {
        change = NowNs();
        if (int error = posix_spawnp(&child, command[0], nullptr, nullptr, command, environ); error != 0)
          throw std::system_error(error, std::generic_category(), command[0]);
      }
      if (child != 0) {
        int status = 0;
        if (Must(waitpid(child, &status, WNOHANG), "waitpid") == 0) continue;
        if (status != 0) throw std::runtime_error("the command failed");
        child = 0;
        round = sent_.size() + sessions_.size();
        commandNs_ = NowNs() - change;
      }
      if (round != 0 && sent_.size() >= round) break;
      Rest();
    }
    for (uint64_t end = NowNs() + kDrainNs; NowNs() < end; Rest()) Receive();
    Print(change);
  }

 private:
  void Rest() {
    timespec rest{0, 200'000};
    nanosleep(&rest, nullptr);
  }

  void SendDue(uint64_t now) {
    uint64_t due = (now - startNs_) / 1000 * rate_ / 1'000'000;
    for (uint64_t burst = 0; sent_.size() < due && burst < kBurst; burst += 1) {
      const flow& session = sessions_[sent_.size() % sessions_.size()];
      uint8_t frame[kFrame] = {};
      std::memcpy(frame, access_.data(), 6);
      std::memcpy(frame + 6, session.subscriber, 6);
      PutU16(frame + 12, ETH_P_PPP_SES);
      PutU16(frame + 14, 0x1100);
      std::memcpy(frame + 16, &session.pppoe, 2);
      PutU16(frame + 18, kPayload + 2);
      PutU16(frame + 20, 0x0021);
      PutU32(frame + PPPOE_HEADERS, kMark);
      PutU32(frame + PPPOE_HEADERS + 4, static_cast<uint32_t>(sent_.size()));
      PutU32(frame + PPPOE_HEADERS + 8, ~static_cast<uint32_t>(sent_.size()));
      sent_.push_back({NowNs(), {}});
      Must(send(out_, frame, sizeof frame, 0), "sending a frame");
    }
  }

  void Receive() {
    for (size_t device = 0; device < in_.size(); device += 1) {
      uint8_t frame[2048];
      ssize_t octets;
      while ((octets = recv(in_[device], frame, sizeof frame, MSG_DONTWAIT)) >= 0)
        Note(device, frame, static_cast<size_t>(octets));
      if (errno != EAGAIN && errno != EINTR) Must(octets, "receiving a frame");
    }
  }

  void Note(size_t device, const uint8_t* frame, size_t octets) {
    if (octets < L2TP_HEADERS + kPayload || frame[23] != 17) return;
    const uint8_t* payload = frame + L2TP_HEADERS;
    uint32_t number = GetU32(payload + 4);
    if (GetU32(payload) != kMark || GetU32(payload + 8) != ~number || number >= sent_.size()) return;
    Way way{device, {}};
    std::memcpy(way.destination.data(), frame, 6);
    sent_[number].way = way;
  }

  // A frame that was lost has not taken the new way either.
  void Print(uint64_t change) {
    auto first = std::ranges::find_if(sent_, [](const Sent& frame) { return frame.way.has_value(); });
    if (first == sent_.end() || first->atNs > change) throw std::runtime_error("no frame came before the change");
    Way before = *first->way;
    uint64_t lost = 0;
    uint64_t diverted = 0;
    uint64_t lastOld = change;
    for (const Sent& frame : sent_) {
      if (!frame.way) lost += 1;
      if (frame.way && *frame.way != before) diverted += 1;
      if (frame.atNs > lastOld && (!frame.way || *frame.way == before)) lastOld = frame.atNs;
    }
    std::printf("{\"sent\":%zu,\"lost\":%" PRIu64 ",\"diverted\":%" PRIu64 ",\"commandMs\":%.3f,\"effectMs\":%.3f}\n",
                sent_.size(), lost, diverted, static_cast<double>(commandNs_) / 1e6,
                static_cast<double>(lastOld - change) / 1e6);
  }

  std::vector<flow> sessions_;
  uint64_t rate_;
  Mac access_;
  int out_ = -1;
  std::vector<int> in_;
  std::vector<Sent> sent_;
  uint64_t startNs_ = 0;
  uint64_t commandNs_ = 0;
};

void Main(int argc, char** argv) {
  constexpr int kWords = 8;
  if (argc < kWords + 2 || std::string(argv[kWords]) != "--")
    throw std::runtime_error("diversion SESSIONS RATE NETNS DEVICE MAC NETNS DEVICES -- COMMAND");
  Diversion diversion(ReadSessions(argv[1]), std::stoull(argv[2]), ParseMac(argv[5]));
  // where the command runs
  Netns home("/proc/self/ns/net");
  diversion.SendOn({argv[3], argv[4]});
  std::istringstream devices(argv[7]);
  for (std::string device; std::getline(devices, device, ',');) diversion.ReceiveOn({argv[6], device});
  home.Enter();
  diversion.Run(argv + kWords + 1);
}

}  // namespace

}  // namespace frames

int main(int argc, char** argv) {
  return frames::Reporting("diversion", [&] { frames::Main(argc, argv); });
}
