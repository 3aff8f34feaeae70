// The benchmark's generator and sink. It sends packets as a LAC's subscribers and its LNSes would, takes what comes
// out at the other side, and prints what became of them as one line of JSON.

#include <sched.h>

#include <cinttypes>
#include <cstdio>
#include <iterator>

#include "failure.h"
#include "run.h"

namespace frames {

namespace {

void StayOn(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  Must(sched_setaffinity(0, sizeof set, &set), "choosing a processor");
}

// The least latency of a bucket, in nanoseconds.
uint64_t LeastOf(uint32_t bucket) {
  if (bucket < 16) return bucket;
  uint32_t power = bucket / 16 + 3;
  return (uint64_t{16} + bucket % 16) << (power - 4);
}

double PercentileUs(const volatile received& received, double share) {
  uint64_t all = 0;
  for (uint32_t i = 0; i < LATENCY_BUCKETS; i += 1) all += received.latency[i];
  auto wanted = static_cast<uint64_t>(share * static_cast<double>(all));
  uint64_t passed = 0;
  for (uint32_t i = 0; i < LATENCY_BUCKETS; i += 1) {
    passed += received.latency[i];
    if (passed > wanted) return static_cast<double>(LeastOf(i)) / 1e3;
  }
  return 0;
}

void PrintOctets(const char* name, const uint8_t* octets, size_t count, const char* end) {
  std::printf("\"%s\":\"", name);
  for (size_t i = 0; i < count; i += 1) std::printf("%02x", octets[i]);
  std::printf("\"%s", end);
}

void PrintDamage(const volatile received& received) {
  if (received.damaged == 0) return;
  constexpr const char* kOf[] = {"", "length", "headers", "stamp", "pattern", "routing"};
  damage first;
  for (size_t i = 0; i < sizeof first; i += 1)
    reinterpret_cast<uint8_t*>(&first)[i] = reinterpret_cast<const volatile uint8_t*>(&received.first)[i];
  std::printf("\"firstDamaged\":{\"of\":\"%s\",\"at\":%u,\"octets\":%u,", kOf[first.what % std::size(kOf)], first.at,
              first.octets);
  PrintOctets("expected", reinterpret_cast<const uint8_t*>(&first.expected), first.width, ",");
  PrintOctets("found", reinterpret_cast<const uint8_t*>(&first.found), first.width, ",");
  PrintOctets("frame", first.frame, first.octets < DAMAGE_KEPT ? DAMAGE_KEPT / 2 : DAMAGE_KEPT, "},");
}

void Print(const volatile tally& counted, int direction) {
  const volatile sent& s = counted.sent[direction];
  const volatile received& r = counted.received[direction];
  auto field = [](const char* name, uint64_t value) { std::printf("\"%s\":%" PRIu64 ",", name, value); };
  std::printf("\"%s\":{", direction == UP ? "up" : "down");
  field("sent", s.frames);
  field("received", r.frames);
  field("receivedInTime", counted.pace.receivedInTime[direction]);
  field("octets", r.octets);
  // a duplicate is none of those that were sent
  field("lost", s.frames - r.frames);
  field("duplicated", r.duplicated);
  field("reordered", r.reordered);
  field("damaged", r.damaged);
  field("misdelivered", r.misdelivered);
  field("foreign", r.foreign);
  field("waits", s.waits);
  field("windowTimeouts", s.timeouts);
  field("largestBacklog", s.largestBacklog);
  PrintDamage(r);
  std::printf("\"latencyUs\":{\"p50\":%.3f,\"p99\":%.3f}},", PercentileUs(r, 0.5), PercentileUs(r, 0.99));
}

void Main(int argc, char** argv) {
  Options options = ParseOptions(argc, argv);
  StayOn(options.processor);
  Run run(options, ReadSessions(options.sessions));
  run.Send();
  const volatile tally& counted = run.counted();
  std::printf("{");
  if (options.up) Print(counted, UP);
  if (options.down) Print(counted, DOWN);
  std::printf("\"waitedSeconds\":%.6f,", static_cast<double>(run.waitedNs()) / 1e9);
  std::printf("\"seconds\":%.6f,\"turns\":%" PRIu64 ",\"idleTurns\":%" PRIu64 "}\n",
              static_cast<double>(counted.pace.endNs - counted.pace.startNs) / 1e9, uint64_t{counted.pace.turns},
              uint64_t{counted.pace.idleTurns});
}

}  // namespace

}  // namespace frames

int main(int argc, char** argv) {
  return frames::Reporting("frames", [&] { frames::Main(argc, argv); });
}
