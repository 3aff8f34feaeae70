// Internet checksums (RFC 1071). Sums are of words as this machine loads them; a constant has to be swapped
// first.
#pragma once

#include "bpf.h"
#include "wire.h"

// No PPP frame starts before this octet of a frame.
#define SUM_FROM 20
// Octets that can be summed, from SUM_FROM on.
#define SUM_MAX 2047
#define NO_SUM (1 << 16)

// In 16 bits; of a sum below 2^36, as fifteen words of 32 bits give.
INLINE __u32 fold(__u64 sum) {
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return (__u32)((sum >> 16) + (sum & 0xffff));
}

// Octets that are summed with two sums side by side; the compiler would load them all before it adds the
// first.
INLINE __u64 words(const __u8 *at, __u64 sum, int octets) {
  __u64 other = 0;
#pragma unroll
  for (int i = 0; i + 8 <= octets; i += 8) {
    sum += LOAD32(at + i);
    other += LOAD32(at + i + 4);
    asm volatile("" : "+r"(sum), "+r"(other));
  }
  return sum + other + (octets % 8 ? LOAD32(at) : 0);
}

// Adds what one bit of a number of octets stands for.
#define SUM_STEP(octets, at, end, sum, bit, load) \
  if ((octets) & (bit)) {                         \
    if (at + (bit) > end) return NO_SUM;          \
    load;                                         \
    ADVANCE(at, bit);                             \
  }
#define SUM_WORDS(octets, at, end, sum, bit) SUM_STEP(octets, at, end, sum, bit, sum = words(at, sum, bit))

// The folded sum of `octets` from SUM_FROM on; NO_SUM when they are not there, or too many. A loop would be
// shorter, but where a program is verified for speculative execution, too, no loop ends.
__attribute__((noinline)) __u32 frame_sum(struct xdp_md *context, __u32 octets) {
  const __u8 *at = frame_start(context) + SUM_FROM;
  const __u8 *end = frame_end(context);
  __u64 sum = 0;
  if (octets > SUM_MAX) return NO_SUM;
  SUM_WORDS(octets, at, end, sum, 1024);
  SUM_WORDS(octets, at, end, sum, 512);
  SUM_WORDS(octets, at, end, sum, 256);
  SUM_WORDS(octets, at, end, sum, 128);
  SUM_WORDS(octets, at, end, sum, 64);
  SUM_WORDS(octets, at, end, sum, 32);
  SUM_WORDS(octets, at, end, sum, 16);
  SUM_WORDS(octets, at, end, sum, 8);
  SUM_WORDS(octets, at, end, sum, 4);
  SUM_STEP(octets, at, end, sum, 2, sum += LOAD16(at));
  // an odd last octet counts as if a zero followed
  SUM_STEP(octets, at, end, sum, 1, sum += bpf_htons(*at << 8));
  return fold((sum >> 32) + (sum & 0xffffffff));
}

// The sum over a PPP frame whose information is a TCP or UDP packet with a checksum of its own, from headers
// alone: the segment and its pseudo-header add up to 0 (all ones), so the segment is the pseudo-header's
// complement, and the addresses of both headers cancel out. NO_SUM for everything else: fragments, options
// and extension headers (a routing header changes the pseudo-header), UDP without a checksum, other
// protocols, lengths that disagree.
//
// When the inner checksum is wrong the outer one will be, too. So a packet that was damaged before it came to
// us is dropped by the peer, and not by the host it is for; none is made to look right that was not.
INLINE __u32 inner_sum(const __u8 *ppp, const __u8 *end, __u32 ppp_octets) {
  const __u8 *ip = ppp + 2;
  __u64 sum;
  __u32 segment, protocol;
  const __u8 *transport;
  if (ip + 28 > end) return NO_SUM;
  if (LOAD16(ppp) == bpf_htons(PPP_IPV4)) {
    if (ip[0] != 0x45 || LOAD16(ip + IPV4_TOTAL_LENGTH) != bpf_htons(ppp_octets - 2)) return NO_SUM;
    if ((LOAD16(ip + IPV4_FRAGMENT) & ~bpf_htons(IPV4_DF)) != 0) return NO_SUM;
    transport = ip + IPV4_BYTES;
    segment = ppp_octets - 2 - IPV4_BYTES;
    protocol = ip[IPV4_PROTOCOL];
    sum = (__u64)LOAD32(ip) + LOAD32(ip + 4) + LOAD32(ip + 8);
  } else if (LOAD16(ppp) == bpf_htons(PPP_IPV6)) {
    if (ip + IPV6_BYTES + 8 > end || ip[0] >> 4 != 6) return NO_SUM;
    transport = ip + IPV6_BYTES;
    segment = ppp_octets - 2 - IPV6_BYTES;
    if (LOAD16(ip + IPV6_PAYLOAD_LENGTH) != bpf_htons(segment)) return NO_SUM;
    protocol = ip[IPV6_NEXT_HEADER];
    sum = (__u64)LOAD32(ip) + LOAD32(ip + 4);
  } else {
    return NO_SUM;
  }
  // of what the lengths have agreed on, none is negative: 16 bits of it were on the wire
  if (ppp_octets < 2 + IPV4_BYTES || segment > 0xffff) return NO_SUM;
  if (protocol == PROTOCOL_UDP) {
    if (LOAD16(transport + UDP_LENGTH) != bpf_htons(segment) || segment < UDP_BYTES) return NO_SUM;
    if (LOAD16(transport + UDP_CHECKSUM) == 0) return NO_SUM;
  } else if (protocol != PROTOCOL_TCP || segment < TCP_BYTES) {
    return NO_SUM;
  }
  // the pseudo-header's two words, each by its complement
  return fold(sum + LOAD16(ppp) + (~bpf_htons(protocol) & 0xffff) + (~bpf_htons(segment) & 0xffff));
}

// The sum of the PPP frame that follows the first `before` octets and ends the frame, octet by octet.
__attribute__((noinline)) __u32 ppp_sum(struct xdp_md *context, __u32 before, __u32 octets) {
  before -= SUM_FROM;
  __u32 sum = frame_sum(context, before + octets);
  return sum + (~frame_sum(context, before) & 0xffff);
}
