#include "control-io.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "errors.h"
#include "udp-socket.h"
#include "vlan-tag.h"

namespace lacewing {

namespace {

std::string Of(int fd) { return "descriptor " + std::to_string(fd); }

}  // namespace

int SendOne(int fd, std::span<const uint8_t> frame) {
  // write and not send: a TUN queue is not a socket
  while (write(fd, frame.data(), frame.size()) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int SendOneDatagram(int fd, const AddressRecord& to, std::span<const uint8_t> datagram) {
  sockaddr_storage name;
  alignas(cmsghdr) uint8_t control[kControlBytes];
  iovec piece{const_cast<uint8_t*>(datagram.data()), datagram.size()};
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = ToSockaddr(to, &name);
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_controllen = WriteControl(to, 0, control);
  if (message.msg_controllen > 0) message.msg_control = control;
  bool retried = false;
  while (sendmsg(fd, &message, MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    if (retried || !IsReportOfEarlierDatagram(errno)) return errno;
    retried = true;
  }
  return 0;
}

uint32_t SocketDrops(int fd) {
  uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof info;
  Check(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length), "getsockopt(SO_MEMINFO)", Of(fd));
  return info[SK_MEMINFO_DROPS];
}

std::optional<std::span<uint8_t>> ReceiveOne(int fd, std::vector<uint8_t>& scratch) {
  alignas(cmsghdr) uint8_t control[kControlBytes];
  iovec piece{scratch.data() + kVlanTagBytes, scratch.size() - kVlanTagBytes};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  ssize_t length;
  do {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    length = recvmsg(fd, &message, MSG_DONTWAIT);
  } while (length < 0 && errno == EINTR);
  if (length < 0) {
    if (errno == EAGAIN) return std::nullopt;
    throw SystemFailure(errno, "recvmsg", Of(fd));
  }
  uint8_t* frame = scratch.data() + kVlanTagBytes;
  size_t octets = static_cast<size_t>(length);
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level != SOL_PACKET || item->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata aux;
    std::memcpy(&aux, CMSG_DATA(item), sizeof aux);
    if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0 || octets < 12) continue;
    uint16_t tpid = (aux.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? aux.tp_vlan_tpid : uint16_t{ETH_P_8021Q};
    frame = PutBackVlanTag(frame, tpid, aux.tp_vlan_tci);
    octets += kVlanTagBytes;
  }
  return std::span<uint8_t>(frame, octets);
}

}  // namespace lacewing
