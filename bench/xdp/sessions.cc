#include "sessions.h"

#include <arpa/inet.h>
#include <endian.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace frames {

Mac ParseMac(const std::string& text) {
  Mac m;
  int read = 0;
  int fields = std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &m[0], &m[1], &m[2], &m[3],
                           &m[4], &m[5], &read);
  if (fields != 6 || static_cast<size_t>(read) != text.size())
    throw std::runtime_error("this is no MAC address: " + text);
  return m;
}

std::vector<flow> ReadSessions(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  std::vector<flow> sessions;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string subscriber;
    uint16_t pppoe, lnsTunnel, lnsSession, lacTunnel, lacSession, peer;
    words >> subscriber >> pppoe >> lnsTunnel >> lnsSession >> lacTunnel >> lacSession >> peer;
    if (!words || peer >= MOST_PEERS) throw std::runtime_error(path + ": this is no session: " + line);
    flow session{};
    Mac mac = ParseMac(subscriber);
    std::memcpy(session.subscriber, mac.data(), mac.size());
    session.pppoe = htobe16(pppoe);
    session.lnsTunnel = htobe16(lnsTunnel);
    session.lnsSession = htobe16(lnsSession);
    session.lacTunnel = htobe16(lacTunnel);
    session.lacSession = htobe16(lacSession);
    session.peer = peer;
    if (std::string address; words >> address && inet_pton(AF_INET, address.c_str(), &session.address) != 1)
      throw std::runtime_error(path + ": this is no session: " + line);
    sessions.push_back(session);
  }
  if (sessions.empty()) throw std::runtime_error(path + " has no session");
  return sessions;
}

}  // namespace frames
