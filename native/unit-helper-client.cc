#include "unit-helper-client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "errors.h"
#include "socket-options.h"

namespace lacewing {

namespace {

// systemd may have to start it first, on a machine that is starting, too
constexpr timeval kPatience{5, 0};

// Repeats `call` while signals interrupt it; a limit of time that has passed, and a helper that has hung up,
// are named so.
template <typename Call>
ssize_t Patiently(Call&& call, const char* syscall, const std::string& path) {
  for (;;) {
    ssize_t result = call();
    if (result >= 0) return result;
    if (errno == EAGAIN) throw SystemFailure(ETIMEDOUT, syscall, path);
    // it hangs up on who is not the user that it serves, before or after he has spoken
    if (errno == EPIPE) throw SystemFailure(ECONNRESET, syscall, path);
    if (errno != EINTR) throw SystemFailure(errno, syscall, path);
  }
}

UniqueFd Connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw SystemFailure(ENAMETOOLONG, "connect", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(Check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket", path));
  SetOption(socket.get(), SOL_SOCKET, SO_RCVTIMEO, kPatience, path);
  // this bounds connect() as well
  SetOption(socket.get(), SOL_SOCKET, SO_SNDTIMEO, kPatience, path);
  Patiently([&] { return connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address); },
            "connect", path);
  return socket;
}

struct Answer {
  int32_t error = 0;
  std::string text;
  std::vector<UniqueFd> descriptors;
};

Answer Receive(int socket, const std::string& path) {
  char octets[kMostAnswerBytes];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * (1 + kMostTuns))];
  iovec piece{octets, sizeof octets};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length = Patiently([&] { return recvmsg(socket, &message, MSG_CMSG_CLOEXEC); }, "recvmsg", path);
  Answer answer;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      answer.descriptors.emplace_back(fd);
    }
  }
  if (length == 0) throw SystemFailure(ECONNRESET, "recvmsg", path);
  if (length < static_cast<ssize_t>(sizeof answer.error)) throw SystemFailure(EBADMSG, "recvmsg", path);
  std::memcpy(&answer.error, octets, sizeof answer.error);
  answer.text.assign(octets + sizeof answer.error, octets + length);
  return answer;
}

}  // namespace

NamespaceFiles AskUnitHelper(const std::string& socketPath, const UnitRequest& request) {
  UniqueFd socket = Connect(socketPath);
  std::vector<uint8_t> octets = EmitUnitRequest(request);
  Patiently([&] { return send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL); }, "send",
            socketPath);
  Answer answer = Receive(socket.get(), socketPath);
  if (answer.error != 0) throw SystemFailure(answer.error, "unit helper", answer.text);
  // fewer: we had no room for more descriptors
  if (answer.descriptors.size() != 1 + request.tuns) throw SystemFailure(EMFILE, "recvmsg", socketPath);
  NamespaceFiles files;
  files.netlink = std::move(answer.descriptors.front());
  std::move(answer.descriptors.begin() + 1, answer.descriptors.end(), std::back_inserter(files.tuns));
  return files;
}

}  // namespace lacewing
