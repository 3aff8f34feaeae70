// How many frames of one direction may leave now.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ledger.h"

namespace traffic {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

// Open loop: a fixed rate, whatever comes back. What a pause of the generator kept back is sent afterwards, and the
// largest such backlog is remembered.
class FixedRate {
 public:
  explicit FixedRate(uint64_t framesPerSecond) : framesPerSecond_(framesPerSecond) {}

  // `elapsedNs` since the run began.
  uint64_t Due(uint64_t elapsedNs, const Ledger& ledger) {
    uint64_t planned = elapsedNs / kNanosecondsPerSecond * framesPerSecond_ +
                       elapsedNs % kNanosecondsPerSecond * framesPerSecond_ / kNanosecondsPerSecond;
    uint64_t due = planned > ledger.sent() ? planned - ledger.sent() : 0;
    largestBacklog_ = std::max(largestBacklog_, due);
    return due;
  }

  uint64_t largestBacklog() const { return largestBacklog_; }

 private:
  uint64_t framesPerSecond_;
  uint64_t largestBacklog_ = 0;
};

// Closed loop: no more than a window of frames on the way, so that the rate is what the path carries without loss.
// Frames leave a path in the order that they entered it: what is behind the newest arrival is lost, not on the way.
class Window {
 public:
  explicit Window(uint64_t frames) : frames_(frames) {}

  uint64_t Due(uint64_t elapsedNs, const Ledger& ledger) {
    if (ledger.horizon() != seenHorizon_) {
      seenHorizon_ = ledger.horizon();
      lastArrivalNs_ = elapsedNs;
    }
    uint64_t settled = std::max(ledger.horizon(), forgiven_);
    uint64_t onTheWay = ledger.sent() - settled;
    if (onTheWay < frames_) return frames_ - onTheWay;
    if (elapsedNs - lastArrivalNs_ < kPatienceNs) return 0;
    // the last of them are lost, and nothing would ever come behind them
    forgiven_ = ledger.sent();
    lastArrivalNs_ = elapsedNs;
    timeouts_ += 1;
    return frames_;
  }

  uint64_t timeouts() const { return timeouts_; }

 private:
  static constexpr uint64_t kPatienceNs = 50'000'000;
  uint64_t frames_;
  uint64_t seenHorizon_ = 0;
  uint64_t lastArrivalNs_ = 0;
  uint64_t forgiven_ = 0;
  uint64_t timeouts_ = 0;
};

}  // namespace traffic
