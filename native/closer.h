// Closes descriptors on threads of its own: the last close of a network device waits until nobody in the kernel can
// see the device any more, some ten milliseconds each. Several such waits go on at once.
#pragma once

#include <memory>

#include "unique-fd.h"

namespace lacewing {

class Closer {
 public:
  Closer();
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;
  // Waits until everything is closed.
  ~Closer();

  // Closes `fd`, then signals the eventfd `done`, which must stay open until then.
  void Close(UniqueFd fd, int done);

 private:
  struct Shared;
  static void Work(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
};

}  // namespace lacewing
