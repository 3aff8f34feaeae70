// Blocks a thread until a descriptor is ready or another thread signals.
#pragma once

#include <cstdint>
#include <optional>
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
  // Woken by an eventfd of the caller's, which outlives the poller, or by one of its own.
  explicit EpollPoller(std::optional<int> wakeFd);

  int wakeFd() const { return wakeFd_; }
  // Without `input` only errors and hang-ups are reported.
  void Add(int fd, int32_t token, bool input);
  void Remove(int fd);
  // Waits at most `timeoutMs` (-1: for ever). Sets `woken` when the wait was ended by a signal.
  int Wait(int timeoutMs, std::span<ReadyDescriptor> ready, bool* woken);

 private:
  UniqueFd epoll_;
  UniqueFd ownWake_;
  int wakeFd_;
};

// An eventfd, non-blocking.
UniqueFd OpenEvent();
void SignalEvent(int fd);
void DrainEvent(int fd);

}  // namespace lacewing
