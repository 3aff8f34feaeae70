// What became of the frames of one direction. Every frame has a number of its own, counted from 0 over all sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "packet.h"

namespace traffic {

class Ledger {
 public:
  explicit Ledger(size_t sessions) : lastOfSession_(sessions, -1) {}

  // A frame has left; the result is the number that it carries.
  uint32_t Sent() { return static_cast<uint32_t>(sent_++); }

  // A whole frame has come on the session that `stamp` names.
  void Received(Stamp stamp) {
    if (stamp.sequence >= sent_ || stamp.session >= lastOfSession_.size()) {
      damaged_ += 1;  // nobody sent that
      return;
    }
    size_t word = stamp.sequence / 64;
    uint64_t bit = uint64_t{1} << (stamp.sequence % 64);
    if (word >= seen_.size()) seen_.resize(word + 4096);
    if ((seen_[word] & bit) != 0) {
      duplicated_ += 1;
      return;
    }
    seen_[word] |= bit;
    received_ += 1;
    if (stamp.sequence >= horizon_) horizon_ = stamp.sequence + uint64_t{1};
    int64_t& last = lastOfSession_[stamp.session];
    if (int64_t{stamp.sequence} < last)
      reordered_ += 1;
    else
      last = stamp.sequence;
  }

  // A frame whose octets are not those that were sent.
  void Damaged() { damaged_ += 1; }
  // A frame of one session that came out on another.
  void Misdelivered() { misdelivered_ += 1; }
  // Not one of ours: control messages.
  void Foreign() { foreign_ += 1; }
  // The system did not take a frame; it is sent again later.
  void Refused() { refused_ += 1; }

  uint64_t sent() const { return sent_; }
  // Each frame once.
  uint64_t received() const { return received_; }
  uint64_t lost() const { return sent_ - received_; }
  uint64_t duplicated() const { return duplicated_; }
  // Came after a later one of its session.
  uint64_t reordered() const { return reordered_; }
  uint64_t damaged() const { return damaged_; }
  uint64_t misdelivered() const { return misdelivered_; }
  uint64_t foreign() const { return foreign_; }
  uint64_t refused() const { return refused_; }
  // One more than the highest number that has come.
  uint64_t horizon() const { return horizon_; }

 private:
  std::vector<uint64_t> seen_;
  std::vector<int64_t> lastOfSession_;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t duplicated_ = 0;
  uint64_t reordered_ = 0;
  uint64_t damaged_ = 0;
  uint64_t misdelivered_ = 0;
  uint64_t foreign_ = 0;
  uint64_t refused_ = 0;
  uint64_t horizon_ = 0;
};

}  // namespace traffic
