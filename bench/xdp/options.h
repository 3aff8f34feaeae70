// What one run shall do, from the command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sessions.h"

namespace frames {

// A network device: the path of its network namespace, and its name in there.
struct Device {
  std::string netns;
  std::string name;
};

// One size of packets, and how many of twelve have it.
struct Share {
  uint32_t octets;
  uint32_t ofTwelve;
};

// Who is measured, by what it does with packets: a LAC bridges PPPoE and L2TP, an LNS and a PTA route what comes in L2TP
// or PPPoE, a wire leaves frames as they are. What is called subscribers' side here is a far host's before an LNS, and what
// is called LNSes' before a PTA.
enum class Role { kLac, kLns, kPta, kWire };

struct Options {
  // The compiled frames.bpf.c.
  std::string programs;
  std::string sessions;
  Device subscribers;
  Device lns;
  // The LAC's, towards subscribers and towards LNSes.
  Device access;
  Device core;
  // All addresses are IPv4, or all are IPv6.
  IpAddress lac;
  // Of the LNSes; a session names one by its place.
  std::vector<IpAddress> peers;
  bool up = false;
  bool down = false;
  std::vector<Share> sizes;
  uint64_t durationNs = 0;
  // Frames a second in each direction; 0: as many as a window lets through.
  uint64_t rate = 0;
  uint64_t window = 0;
  Role role = Role::kLac;
  // That the generator runs on.
  int processor = 0;
};

// Throws std::runtime_error with what is wrong.
Options ParseOptions(int argc, char** argv);

}  // namespace frames
