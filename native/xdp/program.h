// The program in the kernel: loaded, its tables mapped, attached, waited for, tried. Knows nothing of
// JavaScript.
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
