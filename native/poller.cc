#include "poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "errors.h"

namespace lacewing {

namespace {

constexpr uint64_t kWakeToken = UINT64_MAX;
constexpr size_t kMostEvents = 128;

std::string Subject(int fd) { return "descriptor " + std::to_string(fd); }

}  // namespace

EpollPoller::EpollPoller(std::optional<int> wakeFd)
    : epoll_(Check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1", "poller")),
      ownWake_(wakeFd ? UniqueFd() : OpenEvent()),
      wakeFd_(wakeFd.value_or(ownWake_.get())) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeToken;
  Check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakeFd_, &event), "epoll_ctl", Subject(wakeFd_));
}

void EpollPoller::Add(int fd, int32_t token, bool input) {
  epoll_event event{};
  event.events = input ? uint32_t{EPOLLIN} : 0;
  event.data.u64 = static_cast<uint32_t>(token);
  Check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl", Subject(fd));
}

void EpollPoller::Remove(int fd) {
  Check(epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl", Subject(fd));
}

int EpollPoller::Wait(int timeoutMs, std::span<ReadyDescriptor> ready, bool* woken) {
  *woken = false;
  epoll_event events[kMostEvents + 1];
  // one more than the caller takes, so that a wake-up never has to wait for a place
  int most = static_cast<int>(std::min(ready.size(), kMostEvents)) + 1;
  int count = epoll_wait(epoll_.get(), events, most, timeoutMs);
  if (count < 0) {
    if (errno == EINTR) return 0;
    throw SystemFailure(errno, "epoll_wait", "poller");
  }
  size_t pairs = 0;
  for (int i = 0; i < count; i++) {
    if (events[i].data.u64 == kWakeToken) {
      DrainEvent(wakeFd_);
      *woken = true;
    } else if (pairs < ready.size()) {
      ready[pairs++] = {static_cast<int32_t>(events[i].data.u64), static_cast<int32_t>(events[i].events)};
    }
  }
  return static_cast<int>(pairs);
}

UniqueFd OpenEvent() { return UniqueFd(Check(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd", "event")); }

void SignalEvent(int fd) {
  uint64_t one = 1;
  // EAGAIN: the counter is full, so whoever waits is awake already
  if (write(fd, &one, sizeof one) < 0 && errno != EAGAIN) throw SystemFailure(errno, "write", Subject(fd));
}

void DrainEvent(int fd) {
  uint64_t count;
  if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN) throw SystemFailure(errno, "read", Subject(fd));
}

}  // namespace lacewing
