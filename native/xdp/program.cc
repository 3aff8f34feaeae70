#include "program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "layout.h"
#include "object.h"

namespace lacewing::xdp {

namespace {

// Of what a verifier says only the end tells why.
constexpr size_t kLogTail = 4096;
// What a frame may grow by, and more than any frame that test runs take.
constexpr size_t kTestFrameBytes = 4096;

thread_local std::string* collected = nullptr;

int Collect(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG || collected == nullptr) return 0;
  va_list again;
  va_copy(again, arguments);
  int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return length;
  std::string text(static_cast<size_t>(length) + 1, '\0');
  std::vsnprintf(text.data(), text.size(), format, arguments);
  text.pop_back();
  collected->append(text);
  if (collected->size() > kLogTail) collected->erase(0, collected->size() - kLogTail);
  return length;
}

// What libbpf says on this thread meanwhile, in place of its writing it to standard error.
class Log {
 public:
  Log() {
    libbpf_set_print(Collect);
    collected = &text_;
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { collected = nullptr; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// The last line with something in it.
std::string LastLine(const std::string& text) {
  size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "XDP program";
  size_t start = text.rfind('\n', end);
  start = start == std::string::npos ? 0 : start + 1;
  return "XDP program: " + text.substr(start, end - start + 1);
}

// libbpf's functions return a negative errno.
void CheckLoad(int result, const Log& log) {
  if (result < 0) throw Refusal(-result, "bpf", LastLine(log.text()), log.text());
}

// Numbers of the CPUs that are there, from 0 on: each has a row of counters. A virtual machine may have room
// for hundreds of them and have two. What comes in on one that is added later is the system's.
uint32_t PresentCpus() {
  std::string list;
  std::getline(std::ifstream("/sys/devices/system/cpu/present"), list);
  // as in "0-3,6": the highest is the last
  size_t last = list.find_last_not_of("0123456789") + 1;
  uint32_t highest;
  if (std::from_chars(list.data() + last, list.data() + list.size(), highest).ec != std::errc())
    return static_cast<uint32_t>(libbpf_num_possible_cpus());
  return highest + 1;
}

size_t Stride(uint32_t valueBytes) { return (valueBytes + 7) & ~size_t{7}; }

// The name of a program, which only CAP_SYS_ADMIN may ask for.
std::string ProgramName(uint32_t id) {
  UniqueFd program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info = {};
  uint32_t size = sizeof info;
  if (program.get() < 0 || bpf_obj_get_info_by_fd(program.get(), &info, &size) < 0) return "";
  return std::string(" (") + info.name + ")";
}

std::string OtherProgram(int ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  if (bpf_xdp_query(ifindex, 0, &query) < 0) return "";
  for (uint32_t id : {query.prog_id, query.drv_prog_id, query.skb_prog_id, query.hw_prog_id})
    if (id != 0) return " has XDP program " + std::to_string(id) + ProgramName(id);
  return "";
}

int CreateLink(int program, int ifindex, Mode mode) {
  LIBBPF_OPTS(bpf_link_create_opts, options,
              .flags = mode == Mode::kNative ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
  return bpf_link_create(program, ifindex, BPF_XDP, &options);
}

// What another mode would not change.
bool IsFinal(int error) { return error == EBUSY || error == EEXIST || error == EPERM || error == ENODEV; }

}  // namespace

Table::Table(int map, size_t bytes, const char* name) : bytes_(bytes) {
  memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (memory_ == MAP_FAILED) throw SystemFailure(errno, "mmap", std::string("XDP table ") + name);
}

Table::~Table() { munmap(memory_, bytes_); }

GracePeriods::GracePeriods() {
  inner_ = UniqueFd(Check(
      bpf_map_create(BPF_MAP_TYPE_ARRAY, "lacewing_inner", sizeof(uint32_t), sizeof(uint32_t), 1, nullptr),
      "bpf", "map of one entry"));
  LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = static_cast<uint32_t>(inner_.get()));
  outer_ = UniqueFd(Check(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "lacewing_grace", sizeof(uint32_t),
                                         sizeof(uint32_t), 1, &options),
                          "bpf", "map of a map"));
}

void GracePeriods::Wait() const {
  // a map that is replaced in a map of maps must not be in use any more when the call returns: the kernel
  // waits
  uint32_t key = 0;
  int inner = inner_.get();
  Check(bpf_map_update_elem(outer_.get(), &key, &inner, BPF_ANY), "bpf", "map of a map");
}

void Program::Unload::operator()(bpf_object* object) const { bpf_object__close(object); }

Program::Program(const Sizes& sizes, bool plain)
    : cpus_(PresentCpus()), quick_(!plain) {
  try {
    Load(sizes);
  } catch (const Refusal& refusal) {
    // what the verifier says of a pointer that is subtracted from another
    if (!quick_ || refusal.error() != EACCES) throw;
    quick_ = false;
    Load(sizes);
  }
  MapTables();
}

void Program::Load(const Sizes& sizes) {
  Log log;
  std::span<const uint8_t> code = EmbeddedProgram();
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "lacewing");
  object_.reset(bpf_object__open_mem(code.data(), code.size(), &options));
  if (object_ == nullptr) CheckLoad(-errno, log);
  const char* name = quick_ ? "lacewing" : "lacewing_plain";
  bpf_program* program;
  bpf_object__for_each_program(program, object_.get())
      bpf_program__set_autoload(program, std::strcmp(bpf_program__name(program), name) == 0);
  SetSizes(sizes);
  SetSettings(sizes);
  CheckLoad(bpf_object__load(object_.get()), log);
  fd_ = bpf_program__fd(bpf_object__find_program_by_name(object_.get(), name));
}

Program::~Program() = default;

void Program::SetSizes(const Sizes& sizes) {
  uint64_t counters = (uint64_t{sizes.channels} + 1) * cpus_;
  if (counters > UINT32_MAX) throw SystemFailure(E2BIG, "bpf", "counters of all CPUs");
  const std::map<std::string, uint32_t> entries = {
      {"interfaces", sizes.interfaces},
      {"devices", sizes.interfaces},
      {"access", sizes.ports + 1},
      {"tunnels", 1},
      {"directories", sizes.tunnels + 1},
      {"sessions", sizes.sessionPages + 1},
      {"channels", sizes.channels + 1},
      {"peer_slots", sizes.peers / PAGE_ENTRIES + 1},
      {"peers", sizes.peerSlots + 1},
      {"counts", static_cast<uint32_t>(counters)},
  };
  for (const auto& [name, count] : entries)
    bpf_map__set_max_entries(bpf_object__find_map_by_name(object_.get(), name.c_str()), count);
}

void Program::SetSettings(const Sizes& sizes) {
  // a virtual machine may have room for hundreds of CPUs and have two: the others take none of the
  // identifications
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  uint32_t sharing = online > 0 ? static_cast<uint32_t>(online) : cpus_;
  bpf_map* map;
  bpf_object__for_each_map(map, object_.get()) {
    if (std::strstr(bpf_map__name(map), ".rodata") == nullptr) continue;
    size_t bytes;
    auto* given = static_cast<settings*>(const_cast<void*>(bpf_map__initial_value(map, &bytes)));
    *given = {.counts_per_cpu = sizes.channels + 1, .cpus = sharing, .zero = 0};
  }
}

void Program::MapTables() {
  bpf_map* map;
  bpf_object__for_each_map(map, object_.get()) {
    if (bpf_map__is_internal(map) || bpf_map__type(map) != BPF_MAP_TYPE_ARRAY) continue;
    const char* name = bpf_map__name(map);
    size_t bytes = Stride(bpf_map__value_size(map)) * bpf_map__max_entries(map);
    tables_.emplace(name, std::make_shared<Table>(bpf_map__fd(map), bytes, name));
  }
}

Link Program::Attach(int ifindex, std::optional<Mode> mode) const {
  char name[IF_NAMESIZE];
  // the kernel would call the index an invalid argument
  if (if_indextoname(static_cast<unsigned>(ifindex), name) == nullptr)
    throw SystemFailure(ENODEV, "bpf", "interface " + std::to_string(ifindex));
  Mode first = mode.value_or(Mode::kNative);
  int fd = CreateLink(fd_, ifindex, first);
  if (fd < 0 && !mode.has_value() && !IsFinal(errno)) {
    first = Mode::kGeneric;
    fd = CreateLink(fd_, ifindex, first);
  }
  if (fd < 0) {
    int error = errno;
    bool taken = error == EBUSY || error == EEXIST;
    throw SystemFailure(error, "bpf", name + (taken ? OtherProgram(ifindex) : ""));
  }
  Link link{UniqueFd(fd), first};
  // beyond the table nothing arrives or leaves
  if (static_cast<uint32_t>(ifindex) < bpf_map__max_entries(Devices())) AddDevice(ifindex);
  return link;
}

bpf_map* Program::Devices() const { return bpf_object__find_map_by_name(object_.get(), "devices"); }

void Program::AddDevice(int ifindex) const {
  Check(bpf_map_update_elem(bpf_map__fd(Devices()), &ifindex, &ifindex, BPF_ANY), "bpf",
        "interface " + std::to_string(ifindex) + " among those that frames leave by");
}

Verdict Program::TestRun(std::span<const uint8_t> frame, int ifindex, uint32_t repeat) const {
  xdp_md context = {};
  context.data_end = static_cast<uint32_t>(frame.size());
  context.ingress_ifindex = static_cast<uint32_t>(ifindex);
  std::vector<uint8_t> out(kTestFrameBytes);
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()),
              .data_size_out = static_cast<uint32_t>(out.size()), .ctx_in = &context,
              .ctx_size_in = sizeof context, .repeat = static_cast<int>(repeat));
  Check(bpf_prog_test_run_opts(fd_, &options), "bpf", "test run of the XDP program");
  out.resize(options.data_size_out);
  return {options.retval, options.duration, std::move(out)};
}

}  // namespace lacewing::xdp
