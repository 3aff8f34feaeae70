#include "environment.h"

#include "errors.h"

namespace lacewing {

Descriptors::~Descriptors() {
  for (int fd : owned_) ::close(fd);
}

int Descriptors::Adopt(UniqueFd fd) {
  owned_.insert(fd.get());
  return fd.release();
}

void Descriptors::Close(int fd) { Release(fd); }

UniqueFd Descriptors::Release(int fd) {
  if (owned_.erase(fd) == 0) throw SystemFailure(EBADF, "close", "descriptor " + std::to_string(fd));
  return UniqueFd(fd);
}

}  // namespace lacewing
