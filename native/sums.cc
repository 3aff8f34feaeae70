#include "sums.h"

#include <arpa/inet.h>

#include <cstring>

namespace lacewing {

namespace {

// Four words of 64 bits, for whatever vectors the processor has.
using Words = uint64_t __attribute__((vector_size(32)));

uint16_t Fold(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>((sum & 0xffff) + (sum >> 16));
}

// In the host's order of octets, which the sum does not depend on but for the order of its own two (RFC 1071 §2(B)).
// The halves of each word are added to words of their own, so that no carry is lost before 2³² of them.
[[gnu::always_inline]] inline uint16_t Sum(const uint8_t* octets, size_t length) {
  Words low{};
  Words high{};
  Words words;
  for (; length >= sizeof words; length -= sizeof words, octets += sizeof words) {
    std::memcpy(&words, octets, sizeof words);
    low += words & 0xffffffff;
    high += words >> 32;
  }
  words = Words{};
  std::memcpy(&words, octets, length);
  low += words & 0xffffffff;
  high += words >> 32;
  low += high;
  return ntohs(Fold(low[0] + low[1] + low[2] + low[3]));
}

#ifdef __x86_64__
[[gnu::target("avx2")]] uint16_t SumWithAvx2(const uint8_t* octets, size_t length) {
  return Sum(octets, length);
}

// Three times as fast as what every x86-64 has.
const bool kHasAvx2 = __builtin_cpu_supports("avx2");
#endif

}  // namespace

uint16_t OnesComplementSum(const uint8_t* octets, size_t length) {
#ifdef __x86_64__
  if (kHasAvx2) return SumWithAvx2(octets, length);
#endif
  return Sum(octets, length);
}

}  // namespace lacewing
