// The benchmark's generator and sink. It sends IP packets as a LAC's subscribers and its LNS would, takes what comes
// out at the other side, and prints what became of them as one line of JSON.
//
// It is started in the LNS's network namespace with the LNS's UDP socket as descriptor 3.

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <exception>

#include "failure.h"
#include "l2tp-port.h"
#include "options.h"
#include "pppoe-port.h"
#include "run.h"
#include "sessions.h"

namespace traffic {

namespace {

constexpr int kLnsSocket = 3;

// Sockets stay in the namespace in which they were opened.
void EnterNetns(const std::string& path) {
  int fd = Must(open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
  Must(setns(fd, CLONE_NEWNET), "entering " + path);
  close(fd);
}

void PrintStream(const char* name, const std::optional<Stream>& stream) {
  if (!stream) return;
  const Ledger& ledger = stream->ledger;
  const auto* fixed = std::get_if<FixedRate>(&stream->pace);
  const auto* window = std::get_if<Window>(&stream->pace);
  std::printf("\"%s\":{", name);
  std::printf("\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"receivedInTime\":%" PRIu64, ledger.sent(),
              ledger.received(), stream->receivedInTime);
  std::printf(",\"lost\":%" PRIu64 ",\"duplicated\":%" PRIu64 ",\"reordered\":%" PRIu64, ledger.lost(),
              ledger.duplicated(), ledger.reordered());
  std::printf(",\"damaged\":%" PRIu64 ",\"misdelivered\":%" PRIu64 ",\"foreign\":%" PRIu64, ledger.damaged(),
              ledger.misdelivered(), ledger.foreign());
  std::printf(",\"refused\":%" PRIu64 ",\"largestBacklog\":%" PRIu64 ",\"windowTimeouts\":%" PRIu64 "},",
              ledger.refused(), fixed ? fixed->largestBacklog() : 0, window ? window->timeouts() : 0);
}

void Main(int argc, char** argv) {
  Options options = ParseOptions(argc, argv);
  std::vector<Session> sessions = ReadSessions(options.sessions);
  L2tpPort lns(kLnsSocket, options.lac, sessions, options.octets);
  EnterNetns(options.subscriberNetns);
  PppoePort subscribers(options.subscriberDevice, sessions, options.octets);
  Outcome outcome;
  if (options.up) outcome.up.emplace(subscribers, lns, sessions.size(), options);
  if (options.down) outcome.down.emplace(lns, subscribers, sessions.size(), options);
  Run(options, outcome);
  std::printf("{");
  PrintStream("up", outcome.up);
  PrintStream("down", outcome.down);
  std::printf("\"seconds\":%.3f,\"processorSeconds\":%.3f,", static_cast<double>(options.durationNs) / 1e9,
              static_cast<double>(outcome.processorNs) / 1e9);
  std::printf("\"turns\":%" PRIu64 ",\"idleTurns\":%" PRIu64 ",\"idleSeconds\":%.3f", outcome.turns.count,
              outcome.turns.idle, static_cast<double>(outcome.turns.idleNs) / 1e9);
  std::printf(",\"longestPauseMs\":%.3f}\n", static_cast<double>(outcome.turns.longestPauseNs) / 1e6);
}

}  // namespace

}  // namespace traffic

int main(int argc, char** argv) {
  try {
    traffic::Main(argc, argv);
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "traffic: %s\n", failure.what());
    return 1;
  }
}
