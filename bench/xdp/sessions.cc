#include "sessions.h"

#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace traffic {

namespace {

bool ParseMac(const std::string& text, Mac* mac) {
  auto& m = *mac;
  int read = 0;
  int fields = std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &m[0], &m[1], &m[2], &m[3],
                           &m[4], &m[5], &read);
  return fields == 6 && static_cast<size_t>(read) == text.size();
}

}  // namespace

std::vector<Session> ReadSessions(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  std::vector<Session> sessions;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string subscriber;
    std::string concentrator;
    Session s{};
    words >> subscriber >> concentrator >> s.pppoeSessionId >> s.lnsTunnelId >> s.lnsSessionId >>
        s.lacTunnelId >> s.lacSessionId;
    if (!words || !ParseMac(subscriber, &s.subscriberMac) || !ParseMac(concentrator, &s.concentratorMac))
      throw std::runtime_error(path + ": this is no session: " + line);
    sessions.push_back(s);
  }
  if (sessions.empty()) throw std::runtime_error(path + " has no session");
  return sessions;
}

}  // namespace traffic
