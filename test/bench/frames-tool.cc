// Checks of the generator's and the sink's parts that need no network; prints what is wrong and exits with 1, or says
// "ok". Its arguments: a file to write to, and the compiled frames.bpf.c where programs may be loaded.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "../../bench/xdp/octets.h"
#include "../../bench/xdp/options.h"
#include "../../bench/xdp/sessions.h"
#include "../../bench/xdp/templates.h"

using namespace frames;

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

// Of UDP behind its IPv4 header: 0xffff when it is right.
uint16_t UdpSum(const uint8_t* ip, size_t udpOctets) {
  return OnesComplementSum(ip + 20, udpOctets, OnesComplementSum(ip + 12, 8, 17 + static_cast<uint32_t>(udpOctets)));
}

// The same behind an IPv6 header.
uint16_t UdpSumOverIpv6(const uint8_t* ip, size_t udpOctets) {
  return OnesComplementSum(ip + 40, udpOctets, OnesComplementSum(ip + 8, 32, 17 + static_cast<uint32_t>(udpOctets)));
}

void Stamp(uint8_t* packet, uint32_t flow, uint32_t sequence) {
  const uint32_t words[] = {flow, ~flow, sequence, ~sequence, 5, 0, ~5u, ~0u};
  std::memcpy(packet + STAMP, words, sizeof words);
}

std::vector<uint8_t> FrameUp(uint32_t octets, uint32_t flow, uint32_t sequence) {
  std::vector<uint8_t> bare = BareFrame(octets);
  std::vector<uint8_t> frame(bare.begin() + L2TP_HEADERS - PPPOE_HEADERS, bare.end());
  headers all = PppoeHeaders({2, 0, 0, 0, 0, 9}, octets);
  std::memcpy(frame.data(), all.octets, PPPOE_HEADERS + INNER_HEADERS);
  Stamp(frame.data() + PPPOE_HEADERS, flow, sequence);
  return frame;
}

IpAddress Address(uint32_t address) {
  IpAddress octets(4);
  PutU32(octets.data(), address);
  return octets;
}

// The same, ending one of IPv6 that is odd in every octet.
IpAddress Ipv6Address(uint32_t address) {
  IpAddress octets{0xfd, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21};
  IpAddress last = Address(address);
  octets.insert(octets.end(), last.begin(), last.end());
  return octets;
}

std::vector<uint8_t> FrameToLns(uint32_t octets, const flow& session, uint32_t flow, uint32_t sequence) {
  std::vector<uint8_t> frame = BareFrame(octets);
  headers all = L2tpHeaders({{2}, {4}, Address(0x0a000001), Address(0x0a000003)}, octets);
  std::memcpy(frame.data(), all.octets, L2TP_HEADERS);
  std::memcpy(frame.data() + 46, &session.lnsTunnel, 2);
  std::memcpy(frame.data() + 48, &session.lnsSession, 2);
  std::memcpy(frame.data() + L2TP_HEADERS, FrameUp(octets, flow, sequence).data() + PPPOE_HEADERS, PATTERN);
  return frame;
}

// Ids that the generator writes, and what it does with the checksum.
void PutIds(uint8_t* udp, uint16_t tunnel, uint16_t session) {
  PutU16(udp + 12, tunnel);
  PutU16(udp + 14, session);
  uint32_t sum = uint32_t{GetU16(udp + 6)} + tunnel + session;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  PutU16(udp + 6, static_cast<uint16_t>(~sum));
}

std::vector<uint8_t> FrameOverIpv6(uint32_t octets, uint16_t tunnel, uint16_t session, uint32_t sequence) {
  std::vector<uint8_t> frame = BareFrame(octets, IPV6_SURPLUS);
  headers all = L2tpHeaders({{2}, {4}, Ipv6Address(0x0a000001), Ipv6Address(0x0a000003)}, octets);
  std::memcpy(frame.data(), all.octets, sizeof all.octets);
  uint8_t* packet = frame.data() + L2TP_HEADERS + IPV6_SURPLUS;
  std::memcpy(packet, FrameUp(octets, 0, sequence).data() + PPPOE_HEADERS, PATTERN);
  PutIds(frame.data() + 54, tunnel, session);
  return frame;
}

void FramesOverIpv6AreValid() {
  for (uint32_t octets : {64u, 65u, 594u, 1400u, 1492u}) {
    std::vector<uint8_t> frame = FrameOverIpv6(octets, 0xfffe, 0x1234, 8);
    EXPECT(frame.size() == L2TP_HEADERS + IPV6_SURPLUS + octets && GetU16(frame.data() + 12) == 0x86dd);
    EXPECT(GetU16(frame.data() + 18) == frame.size() - 54 && GetU16(frame.data() + 58) == frame.size() - 54);
    EXPECT(frame[14] == 0x60 && frame[20] == 17 && frame[37] == 1 && frame[53] == 3);
    EXPECT(UdpSumOverIpv6(frame.data() + 14, frame.size() - 54) == 0xffff);
    EXPECT(UdpSum(frame.data() + L2TP_HEADERS + IPV6_SURPLUS, octets - 20) == 0xffff);
  }
}

void FramesAreValid() {
  for (uint32_t octets : {64u, 65u, 594u, 1400u, 1492u}) {
    std::vector<uint8_t> frame = FrameUp(octets, 3, 0xfedcba98);
    const uint8_t* packet = frame.data() + PPPOE_HEADERS;
    EXPECT(frame.size() == PPPOE_HEADERS + octets && GetU16(frame.data() + 18) == octets + 2);
    EXPECT(OnesComplementSum(packet, 20, 0) == 0xffff);
    EXPECT(UdpSum(packet, octets - 20) == 0xffff);

    std::vector<uint8_t> datagram = BareFrame(octets);
    headers all = L2tpHeaders({{2}, {4}, Address(0x0a000001), Address(0x0a000003)}, octets);
    std::memcpy(datagram.data(), all.octets, sizeof all.octets);
    Stamp(datagram.data() + L2TP_HEADERS, 7, 8);
    EXPECT(OnesComplementSum(datagram.data() + 14, 20, 0) == 0xffff);
    EXPECT(UdpSum(datagram.data() + L2TP_HEADERS, octets - 20) == 0xffff);
    PutIds(datagram.data() + 34, 0xfffe, 0x1234);
    EXPECT(UdpSum(datagram.data() + 14, datagram.size() - 34) == 0xffff);
  }
}

// As the generator writes it, and with what it adds to checksums that are not complemented yet.
void PutAddress(uint8_t* packet, size_t at, uint32_t address) {
  PutU32(packet + at, address);
  for (int checksum : {10, 26}) {
    uint8_t sum[6];
    PutU16(sum, GetU16(packet + checksum));
    PutU32(sum + 2, address);
    PutU16(packet + checksum, static_cast<uint16_t>(~OnesComplementSum(sum, sizeof sum, 0)));
  }
}

constexpr uint32_t kAddress = 0x6443feff;
const Ends kEnds{{2}, {4}, Address(0x0a000001), Address(0x0a000003)};

// What a subscriber sends, as it comes to an LNS.
std::vector<uint8_t> AddressedDatagram(uint32_t octets, uint32_t sequence, uint32_t address = kAddress) {
  std::vector<uint8_t> frame = BareFrame(octets);
  headers all = L2tpHeaders(kEnds, octets, true);
  std::memcpy(frame.data(), all.octets, sizeof all.octets);
  PutAddress(frame.data() + L2TP_HEADERS, 12, address);
  Stamp(frame.data() + L2TP_HEADERS, 0, sequence);
  return frame;
}

void PacketsOfSubscribersAreValid() {
  for (uint32_t octets : {64u, 65u, 128u, 1400u}) {
    std::vector<uint8_t> frame(PLAIN_HEADERS + octets);
    std::vector<uint8_t> bare = BareFrame(octets);
    std::memcpy(frame.data() + PLAIN_HEADERS, bare.data() + L2TP_HEADERS, octets);
    headers all = PlainHeaders(kEnds, octets);
    std::memcpy(frame.data(), all.octets, PLAIN_HEADERS + INNER_HEADERS);
    uint8_t* packet = frame.data() + PLAIN_HEADERS;
    PutAddress(packet, 16, kAddress);
    Stamp(packet, 3, 9);
    EXPECT(OnesComplementSum(packet, 20, 0) == 0xffff && UdpSum(packet, octets - 20) == 0xffff);

    std::vector<uint8_t> pppoe = FrameUp(octets, 3, 9);
    all = PppoeHeaders({2}, octets, true);
    std::memcpy(pppoe.data(), all.octets, PPPOE_HEADERS + INNER_HEADERS);
    packet = pppoe.data() + PPPOE_HEADERS;
    PutAddress(packet, 12, kAddress);
    EXPECT(OnesComplementSum(packet, 20, 0) == 0xffff && UdpSum(packet, octets - 20) == 0xffff);

    std::vector<uint8_t> datagram = AddressedDatagram(octets, 8);
    packet = datagram.data() + L2TP_HEADERS;
    EXPECT(OnesComplementSum(packet, 20, 0) == 0xffff && UdpSum(packet, octets - 20) == 0xffff);
    // what the generator does with the outer checksum
    uint8_t sum[6];
    PutU16(sum, GetU16(datagram.data() + 40));
    PutU32(sum + 2, ~kAddress);
    PutU16(datagram.data() + 40, static_cast<uint16_t>(~OnesComplementSum(sum, sizeof sum, 0)));
    EXPECT(UdpSum(datagram.data() + 14, datagram.size() - 34) == 0xffff);
  }
}

void SessionsAreReadFromAFile(const char* path) {
  std::ofstream(path) << "02:00:5e:10:00:01 1 2 3 4 65535 7\n";
  std::vector<flow> sessions = ReadSessions(path);
  EXPECT(sessions.size() == 1 && sessions[0].subscriber[4] == 0 && sessions[0].subscriber[5] == 1);
  EXPECT(ntohs(sessions[0].pppoe) == 1 && ntohs(sessions[0].lnsTunnel) == 2);
  EXPECT(ntohs(sessions[0].lnsSession) == 3 && ntohs(sessions[0].lacTunnel) == 4);
  EXPECT(ntohs(sessions[0].lacSession) == 65535 && sessions[0].peer == 7);
  std::ofstream(path) << "02:00:5e:10:00:01 1 2 3 4 5 0 100.67.254.255\n";
  EXPECT(ntohl(ReadSessions(path)[0].address) == kAddress);
  for (const char* wrong : {"02:00:5e:10:00:01 1 2 3 4 5 0 100.67.254\n", "", "02:00:5e:10:00 1 2 3 4 5 0\n", "02:00:5e:10:00:01 1 2 3 4 5\n",
                            "02:00:5e:10:00:01 1 2 3 4 65536 0\n", "02:00:5e:10:00:01 1 2 3 4 5 16\n"}) {
    std::ofstream(path) << wrong;
    bool refused = false;
    try {
      ReadSessions(path);
    } catch (const std::runtime_error&) {
      refused = true;
    }
    EXPECT(refused);
  }
}

// The sink at the LNSes, or, behind an LNS, at the far host; given one frame after the other.
class Sink {
 public:
  Sink(const char* programs, const flow& session, bool plain = false, bool overIpv6 = false)
      : object_(bpf_object__open_file(programs, nullptr)), plain_(plain) {
    setup setup{};
    setup.flows = 1;
    setup.entry[DOWN] = setup.exit[UP] = IN_L2TP;
    setup.entry[UP] = setup.exit[DOWN] = plain ? PLAIN : IN_PPPOE;
    setup.routed = plain ? 1 : 0;
    setup.surplus = overIpv6 ? IPV6_SURPLUS : 0;
    setup.fromSubscribers = plain ? DOWN : UP;
    setup.sizes = 1;
    setup.octets[0] = 200;
    bpf_map* map;
    bpf_object__for_each_map(map, object_) {
      std::string name = bpf_map__name(map);
      if (name.ends_with(".rodata")) bpf_map__set_initial_value(map, &setup, sizeof setup);
      if (name == "progress") bpf_map__set_max_entries(map, 2);
    }
    if (bpf_object__load(object_) != 0) throw std::runtime_error("the programs cannot be loaded");
    uint32_t none = 0;
    headers all = plain ? L2tpHeaders(kEnds, 200, true) : PppoeHeaders({}, 200);
    Update("flows", none, &session);
    Update("headers", plain ? uint32_t{DOWN} * MOST_PEERS * MOST_SIZES : none, &all);
    bpf_object__for_each_map(map, object_) {
      if (std::string(bpf_map__name(map)).ends_with(".bss"))
        tally_ = static_cast<const tally*>(
            mmap(nullptr, sizeof(tally), PROT_READ, MAP_SHARED, bpf_map__fd(map), 0));
    }
  }

  ~Sink() { bpf_object__close(object_); }

  void Take(const std::vector<uint8_t>& frame) {
    LIBBPF_OPTS(bpf_test_run_opts, run);
    run.data_in = frame.data();
    run.data_size_in = static_cast<uint32_t>(frame.size());
    run.repeat = 1;
    bpf_program* program = bpf_object__find_program_by_name(object_, plain_ ? "sinkDown" : "sinkUp");
    EXPECT(bpf_prog_test_run_opts(bpf_program__fd(program), &run) == 0);
    verdict = run.retval;
  }

  const volatile received& counted() const { return tally_->received[plain_ ? DOWN : UP]; }

  uint32_t verdict = 0;

 private:
  void Update(const char* map, uint32_t key, const void* value) {
    EXPECT(bpf_map_update_elem(bpf_object__find_map_fd_by_name(object_, map), &key, value, BPF_ANY) == 0);
  }

  bpf_object* object_;
  bool plain_;
  const volatile tally* tally_ = nullptr;
};

void TheSinkTellsWhatBecameOfFrames(const char* programs) {
  flow session{};
  session.lnsTunnel = htons(21);
  session.lnsSession = htons(22);
  Sink sink(programs, session);
  auto frame = [&](uint32_t sequence) { return FrameToLns(200, session, 0, sequence); };
  for (uint32_t sequence : {0u, 1u, 4u}) sink.Take(frame(sequence));
  sink.Take(frame(5));
  const volatile received& r = sink.counted();
  EXPECT(r.frames == 4 && r.missing == 2 && r.octets == 800 && sink.verdict == XDP_DROP);
  sink.Take(frame(2));
  EXPECT(r.frames == 5 && r.missing == 1 && r.reordered == 1 && r.duplicated == 0);
  sink.Take(frame(2));
  sink.Take(frame(5));
  EXPECT(r.frames == 5 && r.missing == 1 && r.reordered == 1 && r.duplicated == 2);
  sink.Take(frame(1000));
  EXPECT(r.frames == 6 && r.missing == 995);

  // FF03 is the peer's choice, and so is the Length field
  std::vector<uint8_t> bare = frame(1001);
  bare.erase(bare.begin() + 50, bare.begin() + 52);
  PutU16(bare.data() + 38, static_cast<uint16_t>(GetU16(bare.data() + 38) - 2));
  sink.Take(bare);
  EXPECT(r.frames == 7);
  std::vector<uint8_t> shorter = frame(1002);
  shorter.erase(shorter.begin() + 44, shorter.begin() + 46);
  PutU16(shorter.data() + 42, 0x0002);
  PutU16(shorter.data() + 38, static_cast<uint16_t>(GetU16(shorter.data() + 38) - 2));
  sink.Take(shorter);
  EXPECT(r.frames == 8);

  // every octet of one packet in sixteen, and the first of all
  std::vector<uint8_t> damaged = frame(16 * 100);
  damaged.back() ^= 1;
  sink.Take(damaged);
  EXPECT(r.damaged == 1 && r.frames == 8);
  const volatile damage& first = r.first;
  EXPECT(first.what == OF_PATTERN && first.at == L2TP_HEADERS + 196 && first.width == 4);
  EXPECT(first.expected == patternWord(34) && first.found == (first.expected ^ 0x01000000));
  EXPECT(first.octets == damaged.size());
  for (size_t i = 0; i < DAMAGE_KEPT; i += 1) EXPECT(first.frame[i] == damaged[i]);
  damaged = frame(1603);
  damaged[L2TP_HEADERS + 16] ^= 1;
  sink.Take(damaged);
  EXPECT(r.damaged == 2 && r.frames == 8 && first.what == OF_PATTERN);
  sink.Take(FrameToLns(200, session, 1, 0));
  flow other = session;
  other.lnsSession = htons(23);
  sink.Take(FrameToLns(200, other, 0, 1601));
  EXPECT(r.misdelivered == 2 && r.frames == 8);

  // a control message goes on to the LNS
  std::vector<uint8_t> control = frame(1603);
  control[42] = 0xc8;
  sink.Take(control);
  EXPECT(r.foreign == 1 && sink.verdict == XDP_PASS);
}

// What an LNS made of a subscriber's datagram.
std::vector<uint8_t> Routed(uint32_t sequence, uint32_t address = kAddress) {
  std::vector<uint8_t> datagram = AddressedDatagram(200, sequence, address);
  std::vector<uint8_t> frame(datagram.begin() + L2TP_HEADERS - PLAIN_HEADERS, datagram.end());
  PutU16(frame.data() + 12, 0x0800);
  uint8_t* packet = frame.data() + PLAIN_HEADERS;
  packet[8] -= 1;
  PutU16(packet + 10, 0);
  PutU16(packet + 10, static_cast<uint16_t>(~OnesComplementSum(packet, 20, 0)));
  return frame;
}

// The card would put the sum of the rest there.
std::vector<uint8_t> Partial(std::vector<uint8_t> frame) {
  uint8_t* packet = frame.data() + PLAIN_HEADERS;
  PutU16(packet + 26, OnesComplementSum(packet + 12, 8, 17 + 180));
  return frame;
}

// One bit of a frame that a new sink is shown.
void TheSinkTellsWhatWasDamaged(const char* programs) {
  flow session{};
  const struct {
    size_t at;
    uint32_t what;
    uint32_t told;
  } cases[] = {
      {39, OF_LENGTH, L2TP_HEADERS + 2},
      {L2TP_HEADERS + 17, OF_HEADERS, L2TP_HEADERS + 16},
      {L2TP_HEADERS + STAMP, OF_STAMP, L2TP_HEADERS + STAMP + 4},
      {L2TP_HEADERS + STAMP + 31, OF_STAMP, L2TP_HEADERS + STAMP + 28},
      {L2TP_HEADERS + PATTERN, OF_PATTERN, L2TP_HEADERS + PATTERN},
  };
  for (const auto& [at, what, told] : cases) {
    Sink sink(programs, session);
    std::vector<uint8_t> frame = FrameToLns(200, session, 0, 0);
    frame[at] ^= 1;
    sink.Take(frame);
    EXPECT(sink.counted().damaged == 1);
    EXPECT(sink.counted().first.what == what && sink.counted().first.at == told);
  }
}

void TheSinkTakesWhatWasRouted(const char* programs) {
  flow session{};
  session.address = htonl(kAddress);
  Sink sink(programs, session, true);
  const volatile received& r = sink.counted();
  sink.Take(Routed(1));
  EXPECT(r.frames == 1 && sink.verdict == XDP_DROP);
  sink.Take(Partial(Routed(2)));
  EXPECT(r.frames == 2 && r.damaged == 0);
  for (size_t at : {12, 19, 21, 26, 24}) {
    std::vector<uint8_t> damaged = Routed(3);
    damaged[PLAIN_HEADERS + at] ^= 1;
    sink.Take(damaged);
  }
  EXPECT(r.frames == 2 && r.damaged == 5);
  EXPECT(r.first.what == OF_ROUTING && r.first.at == PLAIN_HEADERS + 10);
  // another subscriber's
  sink.Take(Partial(Routed(3, kAddress + 1)));
  EXPECT(r.frames == 2 && r.damaged == 6);
  std::vector<uint8_t> other = Routed(4);
  other[23] = 1;
  sink.Take(other);
  EXPECT(r.foreign == 1 && sink.verdict == XDP_PASS);
}

void TheSinkTakesFramesOverIpv6(const char* programs) {
  flow session{};
  session.lnsTunnel = htons(21);
  session.lnsSession = htons(22);
  Sink sink(programs, session, false, true);
  const volatile received& r = sink.counted();
  sink.Take(FrameOverIpv6(200, 21, 22, 0));
  EXPECT(r.frames == 1 && r.octets == 200 && sink.verdict == XDP_DROP);
  sink.Take(FrameOverIpv6(200, 21, 23, 1));
  EXPECT(r.misdelivered == 1);
  std::vector<uint8_t> other = FrameOverIpv6(200, 21, 22, 1);
  other[20] = 58;
  sink.Take(other);
  flow none{};
  sink.Take(FrameToLns(200, none, 0, 1));
  EXPECT(r.foreign == 2 && r.damaged == 0 && sink.verdict == XDP_PASS);
  // no checksum
  std::vector<uint8_t> damaged = FrameOverIpv6(200, 21, 22, 1);
  PutU16(damaged.data() + 60, 0);
  sink.Take(damaged);
  EXPECT(r.frames == 1 && r.damaged == 1);
  EXPECT(r.first.what == OF_HEADERS && r.first.at == 60 && r.first.width == 2 && r.first.found == 0);
  damaged = FrameOverIpv6(200, 21, 22, 16);
  damaged.back() ^= 1;
  sink.Take(damaged);
  EXPECT(r.frames == 1 && r.damaged == 2);
}

}  // namespace

int main(int argc, char** argv) {
  FramesAreValid();
  FramesOverIpv6AreValid();
  PacketsOfSubscribersAreValid();
  if (argc > 1) SessionsAreReadFromAFile(argv[1]);
  if (argc > 2) TheSinkTellsWhatBecameOfFrames(argv[2]);
  if (argc > 2) TheSinkTellsWhatWasDamaged(argv[2]);
  if (argc > 2) TheSinkTakesWhatWasRouted(argv[2]);
  if (argc > 2) TheSinkTakesFramesOverIpv6(argv[2]);
  if (failures == 0) std::printf("ok\n");
  return failures == 0 ? 0 : 1;
}
