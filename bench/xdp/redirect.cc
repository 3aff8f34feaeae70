// Joins two devices by bare XDP redirects until it is killed:  redirect PROGRAMS DEVICE DEVICE

#include <bpf/libbpf.h>
#include <net/if.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "failure.h"

namespace {

using frames::Must;

void Attach(const char* programs, const std::string& from, const std::string& to) {
  uint32_t target = if_nametoindex(to.c_str());
  uint32_t source = if_nametoindex(from.c_str());
  if (target == 0 || source == 0) Must(-1, target == 0 ? to : from);
  bpf_object* object = bpf_object__open_file(programs, nullptr);
  if (object == nullptr) Must(-1, programs);
  bpf_map* constants = bpf_object__next_map(object, nullptr);
  Must(bpf_map__set_initial_value(constants, &target, sizeof target), "the device's number");
  Must(bpf_object__load(object), "loading the redirect");
  // both live as long as this process
  if (bpf_program__attach_xdp(bpf_object__next_program(object, nullptr), static_cast<int>(source)) == nullptr)
    Must(-1, from);
}

}  // namespace

int main(int argc, char** argv) {
  return frames::Reporting("redirect", [&] {
    if (argc != 4) throw std::runtime_error("redirect PROGRAMS DEVICE DEVICE");
    Attach(argv[1], argv[2], argv[3]);
    Attach(argv[1], argv[3], argv[2]);
    std::printf("ready\n");
    std::fflush(stdout);
    for (;;) pause();
  });
}
