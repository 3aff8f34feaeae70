// The program in the kernel: loaded, its tables mapped, attached, waited for, tried. Knows nothing of
// JavaScript.
//
// The oldest kernel is 5.15. What is used of it, and since when it is there (test/native/xdp-kernel.test.ts
// holds the program to this; what is newer, the control plane asks for and does without):
//
//   instructions of the second version (binding.gyp)                        4.14
//   a million of them to verify                                             5.2
//   functions verified by themselves                                        5.6
//   scalars and pointers that are known again after 64 bits were spilled    5.3
//   helpers: map_lookup_elem 3.19, get_smp_processor_id 4.8,
//     xdp_adjust_head 4.10, redirect_map 4.14, xdp_adjust_tail 4.18
//   redirect_map's action where there is no device                          5.3
//   arrays 3.19, of maps 4.12; devices 4.14
//   constants that the verifier knows (.rodata)                             5.2
//   arrays as memory of the process (BPF_F_MMAPABLE)                        5.5
//   replacing a map in a map waits for all runs                             5.0
//   CAP_BPF and CAP_PERFMON in place of CAP_SYS_ADMIN                       5.8
//   links of XDP (BPF_LINK_CREATE)                                          5.9
//   memory of maps belongs to the control group, not to RLIMIT_MEMLOCK      5.11
//   veth takes redirected frames with GRO alone                             5.13
//   test runs that say on which interface, for tests                        5.14
//
// None of: relocations by the kernel's types (CO-RE), functions of the kernel's, the length of a frame from a
// helper (5.18), XDP features over netlink (6.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../errors.h"
#include "../unique-fd.h"

struct bpf_map;
struct bpf_object;

namespace lacewing::xdp {

// With the end of what libbpf and the verifier said.
class Refusal : public SystemFailure {
 public:
  Refusal(int error, const char* syscall, std::string subject, std::string log)
      : SystemFailure(error, syscall, std::move(subject)), log_(std::move(log)) {}
  const std::string& log() const { return log_; }

 private:
  std::string log_;
};

// Largest numbers of entries; 0 is an entry, too.
struct Sizes {
  uint32_t interfaces, ports, tunnels, sessionPages, channels, peers, peerSlots;
};

// Memory that the kernel and the process share.
class Table {
 public:
  Table(int map, size_t bytes, const char* name);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table();

  std::span<uint8_t> memory() const { return {static_cast<uint8_t*>(memory_), bytes_}; }

 private:
  void* memory_;
  size_t bytes_;
};

enum class Mode { kNative, kGeneric };

struct Link {
  UniqueFd fd;
  Mode mode;
};

struct Verdict {
  uint32_t action;
  uint32_t nanoseconds;
  std::vector<uint8_t> frame;
};

// Waits until every run of any BPF program that began before is over.
class GracePeriods {
 public:
  GracePeriods();
  // Blocks for some milliseconds. One thread at a time.
  void Wait() const;

 private:
  UniqueFd inner_, outer_;
};

class Program {
 public:
  // The quick variant takes CAP_PERFMON; without it, or when `plain`, there is the plain one.
  Program(const Sizes& sizes, bool plain);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  uint32_t cpus() const { return cpus_; }
  bool quick() const { return quick_; }
  const std::map<std::string, std::shared_ptr<Table>>& tables() const { return tables_; }
  // No mode: native where the driver can, else generic.
  Link Attach(int ifindex, std::optional<Mode> mode) const;
  // Frames may leave by it. Those of Attach() are among them already.
  void AddDevice(int ifindex) const;
  Verdict TestRun(std::span<const uint8_t> frame, int ifindex, uint32_t repeat) const;

 private:
  void Load(const Sizes& sizes);
  void SetSizes(const Sizes& sizes);
  void SetSettings(const Sizes& sizes);
  void MapTables();
  bpf_map* Devices() const;

  struct Unload {
    void operator()(bpf_object* object) const;
  };

  uint32_t cpus_;
  bool quick_;
  std::unique_ptr<bpf_object, Unload> object_;
  int fd_ = -1;  // the object's
  std::map<std::string, std::shared_ptr<Table>> tables_;
};

}  // namespace lacewing::xdp
