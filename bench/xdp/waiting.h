// How long this thread has waited for its processor while somebody else had it. What the kernel does there for received
// frames, in the thread ksoftirqd, is part of the generator's own work and not counted.
#pragma once

#include <cstdint>
#include <string>

namespace frames {

class Waiting {
 public:
  // From now on, for a thread that stays on `processor`.
  explicit Waiting(int processor);

  uint64_t SoFarNs() const;

 private:
  uint64_t Now() const;

  std::string ksoftirqd_;  // its directory in /proc; empty when it is not seen from here
  uint64_t before_;
};

}  // namespace frames
