#include "netlink.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>

#include "errors.h"
#include "netns.h"
#include "socket-options.h"

namespace lacewing {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kLongestAnswer = std::chrono::seconds(1);
constexpr int kReceiveBufferBytes = 4 << 20;

bool EndsAnswer(const nlmsghdr& request, const nlmsghdr& part) {
  if (part.nlmsg_type == NLMSG_ERROR || part.nlmsg_type == NLMSG_DONE) return true;
  // a single message, unless an acknowledgement was asked for as well
  return (part.nlmsg_flags & NLM_F_MULTI) == 0 && (request.nlmsg_flags & NLM_F_ACK) == 0;
}

// Blocks until there is something to read.
void AwaitReadable(int fd, SteadyClock::time_point deadline, const std::string& subject) {
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) throw SystemFailure(ETIMEDOUT, "recv", subject);
    pollfd waiting{fd, POLLIN, 0};
    int ready = poll(&waiting, 1, static_cast<int>(left));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw SystemFailure(errno, "poll", subject);
  }
}

}  // namespace

UniqueFd OpenNetlinkSocket(const std::string& netnsPath, uint32_t groups, int protocol) {
  const std::string subject = netnsPath.empty() ? "netlink" : "netlink in " + netnsPath;
  UniqueFd socket;
  InNetworkNamespace(netnsPath, [&] {
    socket = UniqueFd(
        Check(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), "socket", subject));
    SetBuffer(socket.get(), SO_RCVBUFFORCE, SO_RCVBUF, kReceiveBufferBytes, subject);
    SetOption(socket.get(), SOL_NETLINK, NETLINK_EXT_ACK, int{1}, subject);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = groups;
    Check(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "bind", subject);
  });
  return socket;
}

bool IsNetlinkMessage(std::span<const uint8_t> octets) {
  if (octets.size() < sizeof(nlmsghdr)) return false;
  nlmsghdr header;
  std::memcpy(&header, octets.data(), sizeof header);
  return header.nlmsg_len >= sizeof header && header.nlmsg_len <= octets.size() &&
         octets.size() <= NLMSG_ALIGN(header.nlmsg_len);
}

void Transact(int fd, std::span<const uint8_t> request, std::vector<uint8_t>& scratch,
              const std::function<void(std::span<const uint8_t>)>& part) {
  const std::string subject = "netlink descriptor " + std::to_string(fd);
  nlmsghdr asked;
  std::memcpy(&asked, request.data(), sizeof asked);
  Check(send(fd, request.data(), request.size(), 0), "send", subject);
  const auto deadline = SteadyClock::now() + kLongestAnswer;
  for (;;) {
    ssize_t received = recv(fd, scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (received < 0) {
      if (errno != EAGAIN && errno != EINTR) throw SystemFailure(errno, "recv", subject);
      AwaitReadable(fd, deadline, subject);
      continue;
    }
    size_t end = static_cast<size_t>(received);
    for (size_t at = 0; at + sizeof(nlmsghdr) <= end;) {
      nlmsghdr header;
      std::memcpy(&header, scratch.data() + at, sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > end - at) break;
      // notifications, and what is left of an answer that took too long, have other numbers
      if (header.nlmsg_seq == asked.nlmsg_seq && header.nlmsg_pid != 0) {
        part({scratch.data() + at, header.nlmsg_len});
        if (EndsAnswer(asked, header)) return;
      }
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
    if (SteadyClock::now() >= deadline) throw SystemFailure(ETIMEDOUT, "recv", subject);
  }
}

}  // namespace lacewing
