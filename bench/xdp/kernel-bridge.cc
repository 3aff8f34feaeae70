// The kernel's own bridges of PPP channels (PPPIOCBRIDGECHAN), between sessions that nobody has called for:
//
//     kernel-bridge SESSIONS DEVICE ADDRESS PEER
//
// the file of the sessions, the access device, the address that L2TP is spoken on, and the LNS's. It says "ready" and
// waits until it is killed; the bridges go with it. All sessions are in one tunnel.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "failure.h"
#include "sessions.h"

#ifndef PPPIOCBRIDGECHAN
#define PPPIOCBRIDGECHAN _IOW('t', 53, int)
#endif

namespace frames {

namespace {

constexpr uint16_t kL2tpPort = 1701;

sockaddr_in Address(const char* text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kL2tpPort);
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
    throw std::runtime_error(std::string("this is no IPv4 address: ") + text);
  return address;
}

template <typename Sockaddr>
int Connected(int type, int protocol, const Sockaddr& address, const char* what) {
  int fd = Must(socket(AF_PPPOX, type, protocol), what);
  // theirs are packed
  sockaddr_storage aligned{};
  std::memcpy(&aligned, &address, sizeof address);
  Must(connect(fd, reinterpret_cast<const sockaddr*>(&aligned), sizeof address), what);
  return fd;
}

int Pppoe(const flow& session, const char* device) {
  sockaddr_pppox address{};
  address.sa_family = AF_PPPOX;
  address.sa_protocol = PX_PROTO_OE;
  address.sa_addr.pppoe.sid = session.pppoe;
  std::memcpy(address.sa_addr.pppoe.remote, session.subscriber, sizeof session.subscriber);
  std::strncpy(address.sa_addr.pppoe.dev, device, IFNAMSIZ - 1);
  return Connected(SOCK_STREAM, PX_PROTO_OE, address, "a PPPoE session");
}

sockaddr_pppol2tp Tunnel(const flow& session, const sockaddr_in& local, const sockaddr_in& peer) {
  int udp = Must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  Must(bind(udp, reinterpret_cast<const sockaddr*>(&local), sizeof local), "bind");
  Must(connect(udp, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), "connect");
  sockaddr_pppol2tp address{};
  address.sa_family = AF_PPPOX;
  address.sa_protocol = PX_PROTO_OL2TP;
  address.pppol2tp.fd = udp;
  address.pppol2tp.addr = peer;
  address.pppol2tp.s_tunnel = ntohs(session.lacTunnel);
  address.pppol2tp.d_tunnel = ntohs(session.lnsTunnel);
  // session 0 is the tunnel itself
  Connected(SOCK_DGRAM, PX_PROTO_OL2TP, address, "an L2TP tunnel");
  return address;
}

int L2tp(sockaddr_pppol2tp address, const flow& session) {
  address.pppol2tp.s_session = ntohs(session.lacSession);
  address.pppol2tp.d_session = ntohs(session.lnsSession);
  return Connected(SOCK_DGRAM, PX_PROTO_OL2TP, address, "an L2TP session");
}

int ChannelOf(int socket) {
  int channel = 0;
  Must(ioctl(socket, PPPIOCGCHAN, &channel), "PPPIOCGCHAN");
  return channel;
}

void Bridge(int one, int other) {
  int ppp = Must(open("/dev/ppp", O_RDWR), "/dev/ppp");
  Must(ioctl(ppp, PPPIOCATTCHAN, &one), "PPPIOCATTCHAN");
  Must(ioctl(ppp, PPPIOCBRIDGECHAN, &other), "PPPIOCBRIDGECHAN");
}

void Main(int argc, char** argv) {
  if (argc != 5) throw std::runtime_error("kernel-bridge SESSIONS DEVICE ADDRESS PEER");
  std::vector<flow> sessions = ReadSessions(argv[1]);
  sockaddr_pppol2tp tunnel = Tunnel(sessions.front(), Address(argv[3]), Address(argv[4]));
  for (const flow& session : sessions)
    Bridge(ChannelOf(Pppoe(session, argv[2])), ChannelOf(L2tp(tunnel, session)));
  std::printf("ready\n");
  std::fflush(stdout);
  for (;;) pause();
}

}  // namespace

}  // namespace frames

int main(int argc, char** argv) {
  return frames::Reporting("kernel-bridge", [&] { frames::Main(argc, argv); });
}
