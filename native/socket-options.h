// setsockopt with the failure's name in it.
#pragma once

#include <linux/filter.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "errors.h"

namespace lacewing {

template <typename Value>
void SetOption(int fd, int level, int option, const Value& value, const std::string& subject) {
  Check(setsockopt(fd, level, option, &value, sizeof value), "setsockopt", subject);
}

// SO_SNDBUF or SO_RCVBUF: beyond the system's limit where we may, up to it where we may not.
inline void SetBuffer(int fd, int forced, int limited, int bytes, const std::string& subject) {
  if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) == 0) return;
  SetOption(fd, SOL_SOCKET, limited, bytes, subject);
}

// A classic BPF program from raw octets (struct sock_filter[]); the caller has checked that they are whole.
inline sock_fprog Program(std::span<uint8_t> octets) {
  return {static_cast<unsigned short>(std::min<size_t>(octets.size() / sizeof(sock_filter), 0xffff)),
          reinterpret_cast<sock_filter*>(octets.data())};
}

}  // namespace lacewing
