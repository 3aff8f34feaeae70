#include "udp-socket.h"

#include <linux/errqueue.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "socket-options.h"

namespace lacewing {

namespace {

void SetFamilyOptions(int fd, const UdpOptions& options) {
  const std::string& name = options.name;
  if (options.bound.family == 4) {
    if (options.freeBind) SetOption(fd, IPPROTO_IP, IP_FREEBIND, int{1}, name);
    SetOption(fd, IPPROTO_IP, IP_PKTINFO, int{1}, name);
    SetOption(fd, IPPROTO_IP, IP_RECVERR, int{1}, name);
    SetOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, options.clearDf ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE, name);
  } else {
    if (options.freeBind) SetOption(fd, IPPROTO_IPV6, IPV6_FREEBIND, int{1}, name);
    SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, int{1}, name);
    SetOption(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, int{1}, name);
    SetOption(fd, IPPROTO_IPV6, IPV6_RECVERR, int{1}, name);
    SetOption(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, options.clearDf ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE,
              name);
  }
}

}  // namespace

UniqueFd OpenUdpSocket(const UdpOptions& options) {
  const std::string& name = options.name;
  sockaddr_storage address;
  socklen_t length = ToSockaddr(options.bound, &address);
  UniqueFd socket(
      Check(::socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket", name));
  int fd = socket.get();
  SetFamilyOptions(fd, options);
  SetBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receiveBufferBytes, name);
  SetBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.sendBufferBytes, name);
  if (options.gro) SetOption(fd, IPPROTO_UDP, UDP_GRO, int{1}, name);
  if (!options.checksum && options.bound.family == 4)
    SetOption(fd, SOL_SOCKET, SO_NO_CHECK, int{1}, name);
  if (options.ifindex != 0) SetOption(fd, SOL_SOCKET, SO_BINDTOIFINDEX, options.ifindex, name);
  if (options.reusePort) SetOption(fd, SOL_SOCKET, SO_REUSEPORT, int{1}, name);
  Check(bind(fd, reinterpret_cast<sockaddr*>(&address), length), "bind", name);
  // after bind: before it, the program would make a group of this socket alone, which cannot join another
  if (options.reusePortProgram)
    SetOption(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, Program(*options.reusePortProgram), name);
  return socket;
}

bool IsReportOfEarlierDatagram(int error) {
  switch (error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO:
    case EACCES:
    case EMSGSIZE:
      return true;
    default:
      return false;
  }
}

std::vector<QueuedError> ReadErrorQueue(int fd) {
  // who provokes errors must not keep a forwarding thread from its frames: the next call has the rest
  constexpr size_t kMost = 64;
  std::vector<QueuedError> errors;
  while (errors.size() < kMost) {
    sockaddr_storage destination{};
    alignas(cmsghdr) uint8_t control[512];
    msghdr message{};
    message.msg_name = &destination;
    message.msg_namelen = sizeof destination;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
      bool v4 = item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_RECVERR;
      bool v6 = item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_RECVERR;
      if (!v4 && !v6) continue;
      sock_extended_err report;
      std::memcpy(&report, CMSG_DATA(item), sizeof report);
      QueuedError error{static_cast<int>(report.ee_errno), report.ee_info, {}, 0, 0, {}};
      FromSockaddr(destination, &error.destination);
      if (report.ee_origin == SO_EE_ORIGIN_ICMP || report.ee_origin == SO_EE_ORIGIN_ICMP6) {
        error.icmpType = report.ee_type;
        error.icmpCode = report.ee_code;
        // SO_EE_OFFENDER: behind the report, as long as its family is
        sockaddr_storage reporter{};
        size_t length = item->cmsg_len - CMSG_LEN(sizeof report);
        std::memcpy(&reporter, CMSG_DATA(item) + sizeof report, std::min(length, sizeof reporter));
        FromSockaddr(reporter, &error.reporter);
      }
      errors.push_back(error);
    }
  }
  return errors;
}

}  // namespace lacewing
