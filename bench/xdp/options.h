// What one run shall do, from the command line.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

namespace traffic {

struct Options {
  std::string sessions;
  // Where the subscribers' device is: the path of a network namespace, and its name in there.
  std::string subscriberNetns;
  std::string subscriberDevice;
  sockaddr_in lac{};
  bool up = false;
  bool down = false;
  // Of the IP packets.
  size_t octets = 0;
  uint64_t durationNs = 0;
  // Frames a second in each direction; 0: as many as a window lets through.
  uint64_t rate = 0;
  uint64_t window = 0;
};

// Throws std::runtime_error with what is wrong.
Options ParseOptions(int argc, char** argv);

}  // namespace traffic
