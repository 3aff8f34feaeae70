// Where frames of one direction enter the LAC and those of the other come out.
#pragma once

#include <cstddef>

#include "ledger.h"

namespace traffic {

// Frames in one send call.
constexpr size_t kLargestBurst = 64;

class Port {
 public:
  virtual ~Port() = default;

  // Sends up to `count` frames (kLargestBurst at most), of one session after the other; returns how many left.
  virtual size_t Send(size_t count, Ledger& ledger) = 0;

  // Takes what has come, up to a few hundred frames; returns how many that were.
  virtual size_t Receive(Ledger& ledger) = 0;
};

}  // namespace traffic
