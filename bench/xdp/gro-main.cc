// Makes veth devices ready for redirected frames:  gro NETNS DEVICE [NETNS DEVICE ...]

#include <stdexcept>

#include "failure.h"
#include "netns.h"

int main(int argc, char** argv) {
  return frames::Reporting("gro", [&] {
    if (argc < 3 || argc % 2 == 0) throw std::runtime_error("gro NETNS DEVICE ...");
    for (int i = 1; i < argc; i += 2) {
      frames::Netns(argv[i]).Enter();
      frames::TakeRedirectedFrames(argv[i + 1]);
    }
  });
}
