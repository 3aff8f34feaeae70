// One run: both generators and both sinks in one thread, which takes turns. Nothing wakes it for a frame: a sink that
// is asked often costs the LAC's processor nothing, and one clock serves both ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "ledger.h"
#include "options.h"
#include "pace.h"
#include "port.h"

namespace traffic {

// One direction: where its frames enter, where they come out, and what became of them.
struct Stream {
  Stream(Port& entrance, Port& exit, size_t sessions, const Options& options);

  Port& entrance;
  Port& exit;
  Ledger ledger;
  std::variant<FixedRate, Window> pace;
  // When the last frame had left.
  uint64_t receivedInTime = 0;

  uint64_t Due(uint64_t elapsedNs);
};

struct Turns {
  uint64_t count = 0;
  // Turns in which there was nothing to do but to wait for the LAC, and how long that was.
  uint64_t idle = 0;
  uint64_t idleNs = 0;
  // The longest time from one turn to the next: what other processes took from the generator.
  uint64_t longestPauseNs = 0;
};

struct Outcome {
  std::optional<Stream> up;
  std::optional<Stream> down;
  Turns turns;
  uint64_t processorNs = 0;
};

void Run(const Options& options, Outcome& outcome);

}  // namespace traffic
