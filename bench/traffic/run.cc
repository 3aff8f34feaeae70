#include "run.h"

#include <sys/prctl.h>
#include <time.h>

#include <algorithm>

namespace traffic {

namespace {

// Between two turns at a fixed rate: 20 frames at 200,000 a second.
constexpr uint64_t kTurnNs = 100'000;
// After the end, frames still come until none has come for this long.
constexpr uint64_t kDrainNs = 300'000'000;

uint64_t ClockNs(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * kNanosecondsPerSecond + static_cast<uint64_t>(time.tv_nsec);
}

void SleepUntil(uint64_t instantNs) {
  timespec until{static_cast<time_t>(instantNs / kNanosecondsPerSecond),
                 static_cast<long>(instantNs % kNanosecondsPerSecond)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

struct Turn {
  size_t sent = 0;
  size_t received = 0;
  // Frames that were due and did not leave in this turn.
  bool behind = false;
};

void SendDue(Stream& stream, uint64_t elapsedNs, Turn& turn) {
  uint64_t due = stream.Due(elapsedNs);
  if (due == 0) return;
  size_t left = stream.entrance.Send(std::min<uint64_t>(due, kLargestBurst), stream.ledger);
  turn.sent += left;
  if (left < due) turn.behind = true;
}

bool Settled(const std::optional<Stream>& stream) { return !stream || stream->ledger.lost() == 0; }

}  // namespace

Stream::Stream(Port& entrance, Port& exit, size_t sessions, const Options& options)
    : entrance(entrance), exit(exit), ledger(sessions), pace(Window(options.window)) {
  if (options.rate != 0) pace = FixedRate(options.rate);
}

uint64_t Stream::Due(uint64_t elapsedNs) {
  return std::visit([&](auto& each) { return each.Due(elapsedNs, ledger); }, pace);
}

void Run(const Options& options, Outcome& outcome) {
  // else the system may wake us 50 µs late
  prctl(PR_SET_TIMERSLACK, 1);
  bool paced = options.rate != 0;
  uint64_t processorBefore = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  uint64_t start = ClockNs(CLOCK_MONOTONIC);
  uint64_t end = start + options.durationNs;
  uint64_t lastArrival = start;
  uint64_t before = start;
  bool sending = true;
  bool idle = false;
  bool nothingDue = false;
  auto both = [&](auto act) {
    if (outcome.up) act(*outcome.up);
    if (outcome.down) act(*outcome.down);
  };
  for (;;) {
    uint64_t now = ClockNs(CLOCK_MONOTONIC);
    outcome.turns.longestPauseNs = std::max(outcome.turns.longestPauseNs, now - before);
    if (idle) outcome.turns.idleNs += now - before;
    before = now;
    // what a pause kept back at the very end still leaves
    if (sending && now >= end && (!paced || nothingDue || now - end > kDrainNs)) {
      sending = false;
      lastArrival = now;
      both([](Stream& stream) { stream.receivedInTime = stream.ledger.received(); });
    }
    Turn turn;
    if (sending) both([&](Stream& stream) { SendDue(stream, std::min(now, end) - start, turn); });
    nothingDue = now >= end && !turn.behind;
    both([&](Stream& stream) { turn.received += stream.exit.Receive(stream.ledger); });
    if (sending) {
      idle = turn.sent == 0 && turn.received == 0;
      outcome.turns.count += 1;
      if (idle) outcome.turns.idle += 1;
    } else {
      idle = false;
      if (turn.received > 0) lastArrival = now;
      if ((Settled(outcome.up) && Settled(outcome.down)) || now - lastArrival > kDrainNs) break;
    }
    bool rest = !sending || (paced && !turn.behind);
    if (rest && turn.received < kLargestBurst) SleepUntil(now - (now - start) % kTurnNs + kTurnNs);
  }
  outcome.processorNs = ClockNs(CLOCK_THREAD_CPUTIME_ID) - processorBefore;
}

}  // namespace traffic
