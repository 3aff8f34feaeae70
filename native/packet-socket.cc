#include "packet-socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>

#include "socket-options.h"
#include "vlan-tag.h"

namespace lacewing {

namespace {

// The kernel allocates the ring in physically contiguous blocks of this size, or of one slot if that is more.
constexpr uint32_t kBlockBytes = 64 * 1024;

void MakeRing(int fd, const PacketOptions& options) {
  SetOption(fd, SOL_PACKET, PACKET_VERSION, int{TPACKET_V2}, options.name);
  SetOption(fd, SOL_PACKET, PACKET_RESERVE, options.headroomBytes + kVlanTagBytes, options.name);
  uint32_t total = static_cast<uint32_t>(options.ringBytes());
  uint32_t block = std::min(total, std::max(options.slotBytes, kBlockBytes));
  tpacket_req request{};
  request.tp_block_size = block;
  request.tp_block_nr = total / block;
  request.tp_frame_size = options.slotBytes;
  request.tp_frame_nr = options.ringSlots;
  SetOption(fd, SOL_PACKET, PACKET_RX_RING, request, options.name);
}

void SetFilter(int fd, std::span<uint8_t> filter, const std::string& name) {
  SetOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, Program(filter), name);
}

void TakeNothing(int fd, const std::string& name) {
  sock_filter reject = BPF_STMT(BPF_RET | BPF_K, 0);
  sock_fprog program{1, &reject};
  SetOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, name);
}

void JoinFanout(int fd, const FanoutOptions& fanout, const std::string& name) {
  SetOption(fd, SOL_PACKET, PACKET_FANOUT, fanout.group | fanout.mode << 16, name);
  if (fanout.program) SetOption(fd, SOL_PACKET, PACKET_FANOUT_DATA, Program(*fanout.program), name);
}

}  // namespace

UniqueFd OpenPacketSocket(const PacketOptions& options) {
  const std::string& name = options.name;
  // protocol 0 receives nothing: not one frame comes in before the filter is in place and the socket is bound
  UniqueFd socket(Check(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket", name));
  int fd = socket.get();
  // a socket that is bound and not yet in its group would get what the group's other members get, too
  if (options.fanout)
    TakeNothing(fd, name);
  else if (!options.filter.empty())
    SetFilter(fd, options.filter, name);
  SetOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, int{1}, name);
  if (options.ringSlots > 0)
    MakeRing(fd, options);
  else
    SetOption(fd, SOL_PACKET, PACKET_AUXDATA, int{1}, name);
  SetBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.sendBufferBytes, name);
  if (options.receiveBufferBytes > 0)
    SetBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receiveBufferBytes, name);
  if (options.bypassQdisc) SetOption(fd, SOL_PACKET, PACKET_QDISC_BYPASS, int{1}, name);

  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(options.protocol);
  address.sll_ifindex = options.ifindex;
  Check(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind", name);

  if (options.promiscuous) {
    packet_mreq membership{};
    membership.mr_ifindex = options.ifindex;
    membership.mr_type = PACKET_MR_PROMISC;
    SetOption(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership, name);
  }
  if (options.fanout) {
    JoinFanout(fd, *options.fanout, name);
    if (!options.filter.empty())
      SetFilter(fd, options.filter, name);
    else
      SetOption(fd, SOL_SOCKET, SO_DETACH_FILTER, int{0}, name);
  }
  return socket;
}

uint32_t FanoutGroup(int fd) {
  int fanout = 0;
  socklen_t length = sizeof fanout;
  Check(getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &fanout, &length), "getsockopt",
        "descriptor " + std::to_string(fd));
  return static_cast<uint32_t>(fanout) & 0xffff;
}

}  // namespace lacewing
