#include "environment.h"

#include "errors.h"
#include "xsk-outlet.h"

namespace lacewing {

Descriptors::~Descriptors() {
  for (int fd : owned_) {
    XskOutlet::Close(fd);
    ::close(fd);
  }
}

int Descriptors::Adopt(UniqueFd fd) {
  owned_.insert(fd.get());
  return fd.release();
}

void Descriptors::Close(int fd) { Release(fd); }

UniqueFd Descriptors::Release(int fd) {
  if (owned_.erase(fd) == 0) throw SystemFailure(EBADF, "close", "descriptor " + std::to_string(fd));
  XskOutlet::Close(fd);
  return UniqueFd(fd);
}

}  // namespace lacewing
