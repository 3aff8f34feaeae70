#include "waiting.h"

#include <filesystem>
#include <fstream>

namespace frames {

namespace {

struct Times {
  uint64_t ranNs = 0;
  uint64_t waitedNs = 0;
};

// What /proc has about a thread; nothing in a kernel that does not count it.
Times TimesOf(const std::string& directory) {
  Times times;
  std::ifstream(directory + "/schedstat") >> times.ranNs >> times.waitedNs;
  return times;
}

// Kernel threads have the lowest numbers, but not always the same.
std::string DirectoryOf(const std::string& command) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string found;
    std::getline(std::ifstream(entry.path() / "comm"), found);
    if (found == command) return entry.path();
  }
  return {};
}

}  // namespace

Waiting::Waiting(int processor) : ksoftirqd_(DirectoryOf("ksoftirqd/" + std::to_string(processor))), before_(0) {
  before_ = Now();
}

uint64_t Waiting::SoFarNs() const {
  uint64_t now = Now();
  // the kernel's thread may have run when we had nothing to do
  return now > before_ ? now - before_ : 0;
}

uint64_t Waiting::Now() const {
  uint64_t waited = TimesOf("/proc/thread-self").waitedNs;
  return ksoftirqd_.empty() ? waited : waited - TimesOf(ksoftirqd_).ranNs;
}

}  // namespace frames
