// Which queue of a TUN device each packet from the host waits in.
#pragma once

#include "unique-fd.h"

namespace lacewing {

enum class TunSteering {
  kByFlow,         // as the kernel does it
  kByDestination,  // all packets to one address in one queue
  kBySource,       // all packets from one address
};

// Loads an eBPF program that spreads by an address of the IP packet: of IPv4 all of it, of IPv6 the first 64 bits, in
// which a host has all of its addresses. Throws when the kernel does not let us (CAP_BPF, or CAP_SYS_ADMIN before 5.8).
UniqueFd LoadTunSteering(TunSteering steering);

// Has the device whose queue it is use the program. Throws before Linux 4.16.
void SteerTun(int queue, int program);

}  // namespace lacewing
