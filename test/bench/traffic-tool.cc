// Checks of the traffic tool's parts that need no network; prints what is wrong and exits with 1, or says "ok".

#include <cstdio>
#include <cstring>
#include <fstream>
#include <vector>

#include "../../bench/traffic/ledger.h"
#include "../../bench/traffic/octets.h"
#include "../../bench/traffic/pace.h"
#include "../../bench/traffic/packet.h"
#include "../../bench/traffic/sessions.h"

using namespace traffic;

namespace {

int failures = 0;

void Expect(bool holds, const char* what, int line) {
  if (holds) return;
  std::printf("line %d: %s\n", line, what);
  failures += 1;
}
#define EXPECT(condition) Expect(condition, #condition, __LINE__)

uint16_t OnesComplementSum(const uint8_t* octets, size_t count, uint32_t sum) {
  for (size_t i = 0; i < count; i += 1) sum += (i & 1) == 0 ? octets[i] << 8 : octets[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

void PacketsAreValidAndEveryOctetCounts() {
  for (size_t octets : {44u, 64u, 65u, 1400u}) {
    PacketTemplate packets(Direction::kUp, octets);
    std::vector<uint8_t> packet(packets.data(), packets.data() + octets);
    Stamp stamp{};
    for (uint32_t number : {0u, 1u, 0xffffu, 0xfedcba98u}) {
      PacketTemplate::Write(packet.data(), {number / 3, number});
      EXPECT(packets.Read(packet.data(), &stamp) && stamp.session == number / 3 && stamp.sequence == number);
      EXPECT(OnesComplementSum(packet.data(), 20, 0) == 0xffff);
      // pseudo header: addresses, protocol, length
      uint32_t pseudo = OnesComplementSum(packet.data() + 12, 8, 17 + static_cast<uint32_t>(octets) - 20);
      EXPECT(OnesComplementSum(packet.data() + 20, octets - 20, pseudo) == 0xffff);
    }
    for (size_t i = 0; i < octets; i += 1) {
      packet[i] ^= 0x10;
      EXPECT(!packets.Read(packet.data(), &stamp));
      packet[i] ^= 0x10;
    }
    PacketTemplate other(Direction::kDown, octets);
    EXPECT(!other.Read(packet.data(), &stamp));
  }
}

void TheLedgerTellsWhatBecameOfFrames() {
  Ledger ledger(2);
  for (uint32_t i = 0; i < 300'000; i += 1) EXPECT(ledger.Sent() == i);
  ledger.Received({0, 0});
  ledger.Received({1, 1});
  ledger.Received({0, 4});
  EXPECT(ledger.received() == 3 && ledger.reordered() == 0 && ledger.horizon() == 5);
  ledger.Received({0, 2});  // behind 4 of its session
  EXPECT(ledger.reordered() == 1 && ledger.horizon() == 5);
  ledger.Received({1, 3});  // 4 was of another session
  EXPECT(ledger.reordered() == 1 && ledger.received() == 5);
  ledger.Received({0, 2});
  EXPECT(ledger.duplicated() == 1 && ledger.received() == 5);
  ledger.Received({0, 299'999});
  EXPECT(ledger.received() == 6 && ledger.lost() == 299'994);
  ledger.Received({0, 300'000});  // never sent
  ledger.Received({2, 7});        // no such session
  EXPECT(ledger.damaged() == 2 && ledger.received() == 6);
}

void AFixedRateCatchesUp() {
  Ledger ledger(1);
  FixedRate pace(100'000);
  EXPECT(pace.Due(0, ledger) == 0);
  EXPECT(pace.Due(100'000, ledger) == 10);
  for (int i = 0; i < 10; i += 1) ledger.Sent();
  EXPECT(pace.Due(100'000, ledger) == 0);
  // a pause of 5 ms
  EXPECT(pace.Due(5'100'000, ledger) == 500);
  EXPECT(pace.largestBacklog() == 500);
  // no drift and no overflow: an hour, and a rate that does not divide a second
  FixedRate odd(333'333);
  EXPECT(odd.Due(uint64_t{3600} * kNanosecondsPerSecond, Ledger(1)) == uint64_t{3600} * 333'333);
}

void AWindowOpensWithWhatArrives() {
  Ledger ledger(1);
  Window window(4);
  EXPECT(window.Due(0, ledger) == 4);
  for (int i = 0; i < 4; i += 1) ledger.Sent();
  EXPECT(window.Due(1000, ledger) == 0);
  // the third came, so the first two are lost and not on the way
  ledger.Received({0, 2});
  EXPECT(window.Due(2000, ledger) == 3);
  for (int i = 0; i < 3; i += 1) ledger.Sent();
  EXPECT(window.Due(3000, ledger) == 0);
  EXPECT(window.Due(49'000'000, ledger) == 0);
  // nothing has come for 50 ms: all that is on the way is lost
  EXPECT(window.Due(51'000'000, ledger) == 4);
  EXPECT(window.timeouts() == 1);
}

void SessionsAreReadFromAFile(const char* path) {
  std::ofstream(path) << "02:00:5e:10:00:01 0a:0b:0c:0d:0e:0f 1 2 3 4 65535\n";
  std::vector<Session> sessions = ReadSessions(path);
  EXPECT(sessions.size() == 1 && sessions[0].subscriberMac == (Mac{2, 0, 0x5e, 0x10, 0, 1}));
  EXPECT(sessions[0].concentratorMac[5] == 0x0f && sessions[0].pppoeSessionId == 1);
  EXPECT(sessions[0].lnsTunnelId == 2 && sessions[0].lnsSessionId == 3);
  EXPECT(sessions[0].lacTunnelId == 4 && sessions[0].lacSessionId == 65535);
  for (const char* wrong : {"", "02:00:5e:10:00 0a:0b:0c:0d:0e:0f 1 2 3 4 5\n",
                            "02:00:5e:10:00:01 0a:0b:0c:0d:0e:0f 1 2 3 4\n",
                            "02:00:5e:10:00:01 0a:0b:0c:0d:0e:0f 1 2 3 4 65536\n"}) {
    std::ofstream(path) << wrong;
    bool refused = false;
    try {
      ReadSessions(path);
    } catch (const std::exception&) {
      refused = true;
    }
    EXPECT(refused);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  PacketsAreValidAndEveryOctetCounts();
  TheLedgerTellsWhatBecameOfFrames();
  AFixedRateCatchesUp();
  AWindowOpensWithWhatArrives();
  SessionsAreReadFromAFile(argv[1]);
  if (failures == 0) std::printf("ok\n");
  return failures == 0 ? 0 : 1;
}
