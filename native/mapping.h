// One reserved stretch of address space, into which rings and buffers are mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace lacewing {

// Octets that a frame in the region may have, and where: 32-bit offsets reach all of it.
inline constexpr size_t kLargestMapping = size_t{1} << 31;

class Mapping {
 public:
  // Every page is there from the start (zero, not backed before it is written): JavaScript sees all of it as
  // one array, and reading an element that nobody allocated must not end the process.
  explicit Mapping(size_t bytes);
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

  // Takes `size` octets (rounded up to pages) of zeroed memory. Returns their offset; throws ENOMEM.
  size_t Allocate(size_t size);
  // Allocates and maps what `fd` offers there.
  size_t AllocateFrom(int fd, size_t size, const char* subject);
  // Gives an allocation back: its pages become new zero pages, which a later allocation of this size may get.
  void Free(size_t offset, size_t size) noexcept;

  bool Contains(int32_t offset, int32_t length) const {
    return offset >= 0 && length >= 0 && static_cast<size_t>(offset) + static_cast<size_t>(length) <= size_;
  }

 private:
  uint8_t* data_;
  size_t size_;
  size_t used_ = 0;
  std::multimap<size_t, size_t> freed_;  // size → offset
};

}  // namespace lacewing
