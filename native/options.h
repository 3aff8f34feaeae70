// Option objects from JavaScript (PacketOptions, UdpOptions, TunOptions of src/io/addon.ts), checked.
#pragma once

#include <napi.h>

#include "packet-socket.h"
#include "tun.h"
#include "udp-socket.h"
#include "xsk-socket.h"

namespace lacewing {

// These view octets of the object they read: use them before JavaScript runs again.
PacketOptions ReadPacketOptions(const Napi::Object& options);
XskOptions ReadXskOptions(const Napi::Object& options);
UdpOptions ReadUdpOptions(const Napi::Object& options);
TunOptions ReadTunOptions(const Napi::Object& options);

}  // namespace lacewing
