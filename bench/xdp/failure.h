// System calls that must succeed, and programs that say what has failed.
#pragma once

#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>

namespace frames {

template <typename Result>
Result Must(Result result, const std::string& what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

// What main() returns; a failure is told on standard error.
template <typename Act>
int Reporting(const char* program, Act act) {
  try {
    act();
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", program, failure.what());
    return 1;
  }
}

}  // namespace frames
