#include "run.h"

#include <bpf/bpf.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "failure.h"
#include "netns.h"
#include "waiting.h"

namespace frames {

namespace {

// Turns of the generator after which frames leave together, and softirqs and other processes get theirs.
constexpr uint32_t kBatch = 64;
constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
// What the generator needs to begin; at a fixed rate, also for what a pause kept back at the very end.
constexpr uint64_t kSpareNs = 60'000'000;
constexpr uint64_t kPacedSpareNs = 250'000'000;
// Runs of the generator that its time may be in.
constexpr int kAttempts = 5;
// Frames come until none has come for this long.
constexpr uint64_t kDrainNs = 200'000'000;

// Null results carry errno.
template <typename Pointer>
Pointer* Found(Pointer* pointer, const std::string& what) {
  if (pointer == nullptr) Must(-1, what);
  return pointer;
}

// The sizes evenly among each other.
void PutRound(const std::vector<Share>& sizes, uint32_t* round) {
  std::vector<int> due(sizes.size());
  for (uint32_t place = 0; place < ROUND; place += 1) {
    for (size_t i = 0; i < sizes.size(); i += 1) due[i] += static_cast<int>(sizes[i].ofTwelve);
    size_t next = static_cast<size_t>(std::ranges::max_element(due) - due.begin());
    due[next] -= int{ROUND};
    round[place] = static_cast<uint32_t>(next);
  }
}

// Of the header outside of L2TP.
uint32_t SurplusOf(const Options& options) { return options.lac.size() == 16 ? IPV6_SURPLUS : 0; }

// What goes in at one side comes out as what goes in at the other.
void PutForms(Role role, setup& setup) {
  uint32_t access = role == Role::kLns ? PLAIN : IN_PPPOE;
  uint32_t core = role == Role::kPta ? PLAIN : IN_L2TP;
  bool wire = role == Role::kWire;
  setup.entry[UP] = access;
  setup.entry[DOWN] = core;
  setup.exit[UP] = wire ? access : core;
  setup.exit[DOWN] = wire ? core : access;
  setup.routed = access == PLAIN || core == PLAIN ? 1 : 0;
  setup.fromSubscribers = role == Role::kLns ? DOWN : UP;
}

bpf_map* MapOf(bpf_object* object, const std::string& suffix) {
  bpf_map* map;
  bpf_object__for_each_map(map, object) {
    if (std::string(bpf_map__name(map)).ends_with(suffix)) return map;
  }
  throw std::runtime_error("the generator has no map " + suffix);
}

bpf_program* ProgramOf(bpf_object* object, const char* name) {
  return Found(bpf_object__find_program_by_name(object, name), name);
}

// A map of the kernel's, shared with its programs.
void* Shared(bpf_map* map, size_t bytes, int protection) {
  void* memory = mmap(nullptr, bytes, protection, MAP_SHARED, bpf_map__fd(map), 0);
  if (memory == MAP_FAILED) Must(-1, bpf_map__name(map));
  return memory;
}

uint64_t NowNs() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * kNanosecondsPerSecond + static_cast<uint64_t>(time.tv_nsec);
}

// A signal interrupts the system call that the generator runs in.
void InterruptAfter(uint64_t ns) {
  struct sigaction ignore{};
  ignore.sa_handler = [](int) {};
  Must(sigaction(SIGALRM, &ignore, nullptr), "sigaction");
  uint64_t us = ns / 1000;
  itimerval timer{{0, 0}, {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)}};
  Must(setitimer(ITIMER_REAL, &timer, nullptr), "setitimer");
}

}  // namespace

Run::Run(const Options& options, const std::vector<flow>& sessions)
    : options_(options),
      bareFrame_(BareFrame(std::ranges::max(options.sizes, {}, &Share::octets).octets, SurplusOf(options))),
      object_(Found(bpf_object__open_file(options.programs.c_str(), nullptr), options.programs)) {
  Configure(sessions);
  Must(bpf_object__load(object_.get()), "loading the generator");
  tally_ = static_cast<const tally*>(Shared(MapOf(object_.get(), ".bss"), sizeof(tally), PROT_READ));
  WriteSessions(sessions);
  for (int direction : {UP, DOWN}) {
    WriteHeaders(direction);
    Join(direction);
  }
}

Run::~Run() = default;

void Run::Configure(const std::vector<flow>& sessions) {
  bpf_object* object = object_.get();
  setup setup{};
  setup.flows = static_cast<uint32_t>(sessions.size());
  setup.directions = (options_.up ? 1u << UP : 0) | (options_.down ? 1u << DOWN : 0);
  PutForms(options_.role, setup);
  setup.surplus = SurplusOf(options_);
  setup.sizes = static_cast<uint32_t>(options_.sizes.size());
  for (size_t i = 0; i < options_.sizes.size(); i += 1) setup.octets[i] = options_.sizes[i].octets;
  PutRound(options_.sizes, setup.round);
  setup.frameBytes = static_cast<uint32_t>(bareFrame_.size());
  setup.window = static_cast<uint32_t>(options_.window);
  setup.rate = options_.rate;
  setup.durationNs = options_.durationNs;
  Must(bpf_map__set_initial_value(MapOf(object, ".rodata"), &setup, sizeof setup), "the generator's settings");
  Must(bpf_map__set_max_entries(MapOf(object, "flows"), setup.flows), "sessions");
  Must(bpf_map__set_max_entries(MapOf(object, "progress"), 2 * setup.flows), "sessions");
}

void Run::WriteSessions(const std::vector<flow>& sessions) {
  // the kernel aligns what an array holds
  constexpr size_t kStride = (sizeof(flow) + 7) & ~size_t{7};
  size_t bytes = sessions.size() * kStride;
  auto* table = static_cast<uint8_t*>(Shared(MapOf(object_.get(), "flows"), bytes, PROT_READ | PROT_WRITE));
  for (size_t i = 0; i < sessions.size(); i += 1)
    std::memcpy(table + i * kStride, &sessions[i], sizeof(flow));
  munmap(table, bytes);
}

void Run::WriteHeaders(int direction) {
  int map = bpf_map__fd(MapOf(object_.get(), "headers"));
  const Device& towards = direction == UP ? options_.access : options_.core;
  Netns(towards.netns).Enter();
  TakeRedirectedFrames(towards.name);
  Mac lac = MacOf(towards.name);
  const Device& from = direction == UP ? options_.subscribers : options_.lns;
  Netns(from.netns).Enter();
  Ends ends{MacOf(from.name), lac, {}, options_.lac};
  for (size_t peer = 0; peer < options_.peers.size(); peer += 1) {
    ends.sourceAddress = options_.peers[peer];
    for (size_t size = 0; size < options_.sizes.size(); size += 1) {
      uint32_t octets = options_.sizes[size].octets;
      headers all = HeadersOf(direction, ends, octets);
      auto key = static_cast<uint32_t>((static_cast<size_t>(direction) * MOST_PEERS + peer) * MOST_SIZES + size);
      Must(bpf_map_update_elem(map, &key, &all, BPF_ANY), "the generator's headers");
    }
  }
}

headers Run::HeadersOf(int direction, const Ends& ends, uint32_t octets) const {
  bool routed = options_.role == Role::kLns || options_.role == Role::kPta;
  bool plain = options_.role == (direction == UP ? Role::kLns : Role::kPta);
  if (plain) return PlainHeaders(ends, octets);
  return direction == UP ? PppoeHeaders(ends.destination, octets, routed) : L2tpHeaders(ends, octets, routed);
}

// Where frames of this direction come in is where those of the other go out.
void Run::Join(int direction) {
  const Device& entrance = direction == UP ? options_.subscribers : options_.lns;
  Netns(entrance.netns).Enter();
  int index = IndexOf(entrance.name);
  int map = bpf_map__fd(MapOf(object_.get(), "entrances"));
  // the kernel looks the device up in the namespace that we are in
  Must(bpf_map_update_elem(map, &direction, &index, BPF_ANY), "an entrance of the generator");
  bpf_program* sink = ProgramOf(object_.get(), direction == UP ? "sinkDown" : "sinkUp");
  sinks_.emplace_back(Found(bpf_program__attach_xdp(sink, index), "a sink on " + entrance.name));
}

void Run::Send() {
  // any device will do: frames leave through the map of entrances
  xdp_md context{};
  context.data_end = static_cast<uint32_t>(bareFrame_.size());
  context.ingress_ifindex = 1;
  LIBBPF_OPTS(bpf_test_run_opts, run);
  run.data_in = bareFrame_.data();
  run.data_size_in = context.data_end;
  run.ctx_in = &context;
  run.ctx_size_in = sizeof context;
  run.repeat = INT_MAX;
  run.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  run.batch_size = kBatch;
  int generator = bpf_program__fd(ProgramOf(object_.get(), "generate"));
  uint64_t needed = options_.durationNs + (options_.rate != 0 ? kPacedSpareNs : kSpareNs);
  Waiting waiting(options_.processor);
  // it goes on where it was interrupted when others had its processor for too long
  for (int attempt = 0; tally_->pace.endNs == 0; attempt += 1) {
    if (attempt == kAttempts) throw std::runtime_error("the generator never came to its end");
    InterruptAfter(needed);
    if (int result = bpf_prog_test_run_opts(generator, &run); result < 0 && result != -EINTR)
      throw std::system_error(-result, std::generic_category(), "running the generator");
  }
  waitedNs_ = waiting.SoFarNs();
  Drain();
}

void Run::Drain() const {
  uint64_t before = 0;
  uint64_t lastArrival = NowNs();
  for (;;) {
    uint64_t sent = 0;
    uint64_t received = 0;
    for (int direction : {UP, DOWN}) {
      sent += tally_->sent[direction].frames;
      received += tally_->received[direction].frames;
    }
    uint64_t now = NowNs();
    if (received != before) lastArrival = now;
    if (received == sent || now - lastArrival > kDrainNs) return;
    before = received;
    timespec rest{0, 1'000'000};
    nanosleep(&rest, nullptr);
  }
}

}  // namespace frames
