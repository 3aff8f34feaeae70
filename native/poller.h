// Blocks a thread until a descriptor is ready or another thread signals.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "unique-fd.h"

namespace lacewing {

// A token and the epoll events that are there for it.
struct ReadyDescriptor {
  int32_t token;
  int32_t events;
};

class EpollPoller {
 public:
  EpollPoller();

  int wakeFd() const { return wake_.get(); }
  void Add(int fd, int32_t token);
  void Remove(int fd);
  // Waits at most `timeoutMs` (-1: for ever). Sets `woken` when the wait was ended by a signal.
  int Wait(int timeoutMs, std::span<ReadyDescriptor> ready, bool* woken);

 private:
  UniqueFd epoll_;
  UniqueFd wake_;
};

// An eventfd, non-blocking.
UniqueFd OpenEvent();
void SignalEvent(int fd);
void DrainEvent(int fd);

}  // namespace lacewing
