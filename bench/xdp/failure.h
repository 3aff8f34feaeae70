// System calls that must succeed.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace frames {

template <typename Result>
Result Must(Result result, const std::string& what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace frames
