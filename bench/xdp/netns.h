// Network namespaces, and devices in them.
#pragma once

#include "options.h"
#include "sessions.h"

namespace frames {

// A namespace that the calling thread can enter again and again.
class Netns {
 public:
  explicit Netns(const std::string& path);
  ~Netns();
  Netns(const Netns&) = delete;
  Netns& operator=(const Netns&) = delete;

  void Enter() const;

 private:
  int fd_;
};

// Of a device in the namespace in which the thread is.
int IndexOf(const std::string& device);
Mac MacOf(const std::string& device);
// A veth device takes redirected frames when it has an XDP program, or GRO, which is off until somebody wants it.
void TakeRedirectedFrames(const std::string& device);

}  // namespace frames
