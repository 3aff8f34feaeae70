#include "mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include "errors.h"

namespace lacewing {

namespace {

size_t RoundUpToPage(size_t size) {
  static const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (size + page - 1) & ~(page - 1);
}

}  // namespace

Mapping::Mapping(size_t bytes) : size_(RoundUpToPage(bytes)) {
  void* at = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw SystemFailure(errno, "mmap", "region of " + std::to_string(size_) + " octets");
  data_ = static_cast<uint8_t*>(at);
}

Mapping::~Mapping() { munmap(data_, size_); }

size_t Mapping::Allocate(size_t size) {
  size = RoundUpToPage(size);
  if (auto again = freed_.find(size); again != freed_.end()) {
    size_t offset = again->second;
    freed_.erase(again);
    return offset;
  }
  if (size > size_ - used_) {
    throw SystemFailure(ENOMEM, "mmap", "region: " + std::to_string(size) + " octets more than the " +
                                            std::to_string(size_ - used_) + " that are left");
  }
  size_t offset = used_;
  used_ += size;
  return offset;
}

size_t Mapping::AllocateFrom(int fd, size_t size, const char* subject) {
  size_t offset = Allocate(size);
  void* at = mmap(data_ + offset, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  if (at == MAP_FAILED) {
    int error = errno;
    // the kernel may have taken the old pages away before it refused
    Free(offset, RoundUpToPage(size));
    throw SystemFailure(error, "mmap", subject);
  }
  return offset;
}

void Mapping::Free(size_t offset, size_t size) noexcept {
  size = RoundUpToPage(size);
  void* at = mmap(data_ + offset, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  // when the system has no room for another mapping, what is there stays, and nobody gets it again
  if (at != MAP_FAILED) freed_.emplace(size, offset);
}

}  // namespace lacewing
