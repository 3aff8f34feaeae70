// What goes before a PPP frame that a peer gets, written into room that has been made for it.
#pragma once

#include "checksum.h"
#include "tables.h"
#include "wire.h"

struct departure {
  const struct peer *peer;
  __u32 flags;  // the peer's
  __u32 ids;
  __u32 before;  // octets of all headers
  __u32 ppp_octets;
  __u16 identification;
};

INLINE bool sends_checksum(__u32 flags) { return flags & (PEER_CHECKSUM | PEER_IPV6); }

INLINE bool gives_identification(__u32 flags) { return (flags & (PEER_IPV6 | PEER_KEEP_ID)) == 0; }

// Octets of L2TP's header, FF03 included.
INLINE __u32 l2tp_octets(__u32 flags) {
  return (flags & PEER_LENGTH ? L2TP_BYTES_WITH_LENGTH : L2TP_BYTES) + (flags & PEER_ADDRESS_CONTROL ? 2 : 0);
}

INLINE bool is_link_size(__u32 octets) {
  return octets == ETHERNET_BYTES || octets == ETHERNET_BYTES + TAG_BYTES ||
         octets == ETHERNET_BYTES + 2 * TAG_BYTES;
}

INLINE bool is_header_size(__u32 octets, __u32 flags) {
  return is_link_size(octets - UDP_BYTES - (flags & PEER_IPV6 ? IPV6_BYTES : IPV4_BYTES));
}

// Shorter PPP frames than this, which carry nothing, are the system's. So this many octets are behind any
// template.
#define PPP_MIN 4
#define BEHIND_TEMPLATE (L2TP_BYTES + PPP_MIN)

// Copies so many octets, an even constant.
INLINE void copy(__u8 *to, const __u8 *from, int octets) {
  int at = 0;
#pragma unroll
  for (; at + 8 <= octets; at += 8) STORE64(to + at, LOAD64(from + at));
  if (octets & 4) {
    STORE32(to + at, LOAD32(from + at));
    at += 4;
  }
  if (octets & 2) STORE16(to + at, LOAD16(from + at));
}

// Returns what is behind it.
INLINE __u8 *write_l2tp(__u8 *at, const struct departure *departure, __u32 message) {
  __u32 flags = departure->flags;
  __u32 ids = bpf_htonl(departure->ids);
  if (flags & PEER_LENGTH) {
    STORE16(at, bpf_htons(L2TP_LENGTH << 8 | L2TP_VERSION));
    STORE16(at + 2, bpf_htons(message));
    STORE32(at + 4, ids);
    ADVANCE(at, L2TP_BYTES_WITH_LENGTH);
  } else {
    STORE16(at, bpf_htons(L2TP_VERSION));
    STORE32(at + 2, ids);
    ADVANCE(at, L2TP_BYTES);
  }
  if (flags & PEER_ADDRESS_CONTROL) {
    STORE16(at, bpf_htons(ADDRESS_CONTROL));
    ADVANCE(at, 2);
  }
  return at;
}

INLINE __u16 udp_checksum(struct xdp_md *context, const struct departure *departure, const __u8 *ppp,
                          __u32 message) {
  __u32 flags = departure->flags;
  __u32 inner = flags & PEER_SUM_ALL ? NO_SUM : inner_sum(ppp, frame_end(context), departure->ppp_octets);
  if (inner == NO_SUM) inner = ppp_sum(context, departure->before, departure->ppp_octets);
  // the length is in the header and in the pseudo-header
  __u64 sum = (__u64)inner + bpf_htons(departure->peer->udp_sum) + 2 * bpf_htons(message + UDP_BYTES) +
              bpf_htonl(departure->ids);
  if (flags & PEER_LENGTH)
    sum += bpf_htons(L2TP_LENGTH << 8 | L2TP_VERSION) + bpf_htons(message);
  else
    sum += bpf_htons(L2TP_VERSION);
  if (flags & PEER_ADDRESS_CONTROL) sum += bpf_htons(ADDRESS_CONTROL);
  __u16 checksum = ~fold(sum);
  // zero would say that there is none
  return checksum ? checksum : 0xffff;
}

// What differs from message to message in IPv4's or IPv6's header and UDP's, which end at `at`.
INLINE void write_ipv4(__u8 *at, const struct departure *departure, __u32 message) {
  __u8 *ip = at - UDP_BYTES - IPV4_BYTES;
  __u16 total = bpf_htons(IPV4_BYTES + UDP_BYTES + message);
  __u16 sum = bpf_htons(departure->peer->ip_sum);
  STORE16(ip + IPV4_TOTAL_LENGTH, total);
  STORE16(ip + IPV4_IDENTIFICATION, departure->identification);
  STORE16(ip + IPV4_CHECKSUM, ~fold((__u64)sum + total + departure->identification));
}

INLINE void write_ipv6(__u8 *at, __u32 message) {
  STORE16(at - UDP_BYTES - IPV6_BYTES + IPV6_PAYLOAD_LENGTH, bpf_htons(UDP_BYTES + message));
}

// One variant for each size of a header: see bpf.h. False when the frame has no room, which has been made
// before.
INLINE bool write_udp(struct xdp_md *context, const struct departure *departure, int octets, bool ipv6) {
  __u8 *start = frame_start(context);
  __u8 *at = start + octets;
  if (at + BEHIND_TEMPLATE > frame_end(context)) return false;
  copy(start, departure->peer->header, octets);
  __u32 message = l2tp_octets(departure->flags) + departure->ppp_octets;
  if (ipv6)
    write_ipv6(at, message);
  else
    write_ipv4(at, departure, message);
  STORE16(at - UDP_BYTES + UDP_LENGTH, bpf_htons(UDP_BYTES + message));
  const __u8 *ppp = write_l2tp(at, departure, message);
  if (sends_checksum(departure->flags))
    STORE16(at - UDP_BYTES + UDP_CHECKSUM, udp_checksum(context, departure, ppp, message));
  return true;
}

INLINE bool write_l2tp_headers(struct xdp_md *context, const struct departure *departure) {
  const int ipv4 = ETHERNET_BYTES + IPV4_BYTES + UDP_BYTES;
  const int ipv6 = ETHERNET_BYTES + IPV6_BYTES + UDP_BYTES;
  switch (departure->peer->header_bytes) {
    case ipv4:
      return write_udp(context, departure, ipv4, false);
    case ipv4 + TAG_BYTES:
      return write_udp(context, departure, ipv4 + TAG_BYTES, false);
    case ipv4 + 2 * TAG_BYTES:
      return write_udp(context, departure, ipv4 + 2 * TAG_BYTES, false);
    case ipv6:
      return write_udp(context, departure, ipv6, true);
    case ipv6 + TAG_BYTES:
      return write_udp(context, departure, ipv6 + TAG_BYTES, true);
    case ipv6 + 2 * TAG_BYTES:
      return write_udp(context, departure, ipv6 + 2 * TAG_BYTES, true);
    default:
      return false;
  }
}

INLINE bool write_pppoe(const struct xdp_md *context, const struct channel *channel, __u32 ppp_octets,
                        int octets) {
  __u8 *start = frame_start(context);
  __u8 *at = start + octets;
  if (at + BEHIND_TEMPLATE > frame_end(context)) return false;
  copy(start, channel->to.header, octets);
  STORE16(at, bpf_htons(PPPOE_SESSION_DATA));
  STORE16(at + PPPOE_SESSION_ID, bpf_htons(channel->to_ids));
  STORE16(at + PPPOE_LENGTH, bpf_htons(ppp_octets));
  return true;
}

INLINE bool write_pppoe_headers(const struct xdp_md *context, const struct channel *channel,
                                __u32 ppp_octets) {
  switch (channel->to.header_bytes) {
    case ETHERNET_BYTES:
      return write_pppoe(context, channel, ppp_octets, ETHERNET_BYTES);
    case ETHERNET_BYTES + TAG_BYTES:
      return write_pppoe(context, channel, ppp_octets, ETHERNET_BYTES + TAG_BYTES);
    case ETHERNET_BYTES + 2 * TAG_BYTES:
      return write_pppoe(context, channel, ppp_octets, ETHERNET_BYTES + 2 * TAG_BYTES);
    default:
      return false;
  }
}
