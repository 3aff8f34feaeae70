#include "server.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "../errors.h"
#include "../namespace-files.h"
#include "../unit-request.h"
#include "capabilities.h"

namespace lacewing {

namespace {

// Only the user whom we serve is waited for, so that a client that says nothing keeps nobody waiting but its
// own.
constexpr int kPatienceMs = 500;

struct Answer {
  int32_t error = 0;
  std::string text;
  NamespaceFiles files;
};

bool Send(int connection, const Answer& answer) {
  std::vector<uint8_t> octets(sizeof answer.error + answer.text.size());
  std::memcpy(octets.data(), &answer.error, sizeof answer.error);
  std::memcpy(octets.data() + sizeof answer.error, answer.text.data(), answer.text.size());
  octets.resize(std::min(octets.size(), kMostAnswerBytes));
  iovec piece{octets.data(), octets.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * (1 + kMostTuns))]{};
  if (answer.error == 0) {
    std::vector<int> descriptors{answer.files.netlink.get()};
    for (const UniqueFd& tun : answer.files.tuns) descriptors.push_back(tun.get());
    const size_t bytes = descriptors.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
  }
  return sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

// The one message of the client. Descriptors that come with it are dropped by the kernel: recv() takes none.
std::optional<UnitRequest> Receive(int connection) {
  pollfd waiting{connection, POLLIN, 0};
  if (poll(&waiting, 1, kPatienceMs) <= 0) return std::nullopt;
  uint8_t octets[kMostRequestBytes];
  // the length that it was sent with
  ssize_t length = recv(connection, octets, sizeof octets, MSG_DONTWAIT | MSG_TRUNC);
  if (length <= 0 || length > static_cast<ssize_t>(sizeof octets)) return std::nullopt;
  return ParseUnitRequest({octets, static_cast<size_t>(length)});
}

Answer Fulfil(const UnitRequest& request, const std::vector<std::string>& namespaces) {
  if (!namespaces.empty() &&
      std::find(namespaces.begin(), namespaces.end(), request.netns) == namespaces.end())
    return {EACCES, request.netns + " is not one of its network namespaces", {}};
  try {
    SysAdmin raised;
    return {0, "", OpenNamespaceFiles("/run/netns/" + request.netns, request.tuns)};
  } catch (const SystemFailure& failure) {
    return {failure.error(), std::string(failure.syscall()) + " " + failure.subject(), {}};
  }
}

void Serve(int connection, const HelperOptions& options) {
  ucred peer{};
  socklen_t length = sizeof peer;
  Check(getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length), "getsockopt", "the connection");
  if (peer.uid != options.user) {
    std::fprintf(stderr, "refused: process %d of user %u, whom we do not serve\n", static_cast<int>(peer.pid),
                 static_cast<unsigned>(peer.uid));
    return;
  }
  std::optional<UnitRequest> request = Receive(connection);
  if (!request) {
    Send(connection, {EBADMSG, "that is not a request", {}});
    return;
  }
  if (Send(connection, Fulfil(*request, options.namespaces)) || errno != ETOOMANYREFS) return;
  // Without CAP_SYS_ADMIN in effect, no more descriptors may be under way than we may have open (unix(7)):
  // whoever does not take what he has asked for gets no more.
  Send(connection, {ETOOMANYREFS, "what was handed over before has not been taken", {}});
}

}  // namespace

void ServeRequests(int listener, const HelperOptions& options) {
  for (;;) {
    UniqueFd connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.get() >= 0)
      Serve(connection.get(), options);
    else if (errno != EINTR && errno != ECONNABORTED)
      throw SystemFailure(errno, "accept4", "the socket");
  }
}

}  // namespace lacewing
