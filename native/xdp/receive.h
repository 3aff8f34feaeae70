// Which channel a frame is of, and where its PPP frame is. What is not plainly one of a bridged channel's,
// from the right peer, is none.
#pragma once

#include "checksum.h"
#include "tables.h"
#include "wire.h"

struct frame {
  const __u8 *start;
  const __u8 *end;
  const __u8 *payload;  // behind EtherType
  __u32 channel;        // its number
  __u32 ethernet_octets;
  __u16 type;     // as on the wire
  __u32 tags[2];  // as in struct peer
  bool control;   // of a PPP protocol from 0x8000 on
  // Octets before the PPP frame, and of it. They end the frame, but for padding: the lengths of all headers
  // agree.
  __u32 header_octets;
  __u32 ppp_octets;
};

INLINE bool is_tpid(__u16 type) {
  return type == bpf_htons(TPID_8021Q) || type == bpf_htons(TPID_8021AD) ||
         type == bpf_htons(TPID_QINQ_LEGACY);
}

INLINE __u32 tag_at(const __u8 *at) {
  return (__u32)bpf_ntohs(LOAD16(at)) << 16 | (bpf_ntohs(LOAD16(at + 2)) & VLAN_ID_MASK);
}

// Passes over at most two tags.
INLINE bool read_ethernet(struct frame *frame) {
  const __u8 *at = frame->start + ETHERNET_BYTES;
  frame->ethernet_octets = ETHERNET_BYTES;
  frame->tags[0] = frame->tags[1] = 0;
  if (at > frame->end) return false;
  frame->type = LOAD16(at - 2);
  if (is_tpid(frame->type)) {
    if (at + TAG_BYTES > frame->end) return false;
    frame->tags[0] = tag_at(at - 2);
    frame->type = LOAD16(at + 2);
    ADVANCE(at, TAG_BYTES);
    frame->ethernet_octets += TAG_BYTES;
    if (is_tpid(frame->type)) {
      if (at + TAG_BYTES > frame->end) return false;
      frame->tags[1] = tag_at(at - 2);
      frame->type = LOAD16(at + 2);
      ADVANCE(at, TAG_BYTES);
      frame->ethernet_octets += TAG_BYTES;
    }
  }
  frame->payload = at;
  return true;
}

INLINE bool has_tags(const struct frame *frame, const __u32 *tags) {
  return frame->tags[0] == tags[0] && frame->tags[1] == tags[1];
}

INLINE bool is_from_subscriber(const struct frame *frame, const struct channel *channel) {
  const __u8 *macs = frame->start;
  return has_tags(frame, channel->in_tags) && LOAD64(macs) == LOAD64(channel->in_macs) &&
         LOAD32(macs + 8) == LOAD32(channel->in_macs + 8);
}

INLINE struct channel *receive_pppoe(struct frame *frame, const struct interface *interface) {
  const __u8 *header = frame->payload;
  const __u8 *ppp = header + PPPOE_BYTES;
  if (interface->port == 0 || ppp + 1 > frame->end) return NULL;
  frame->control = ppp[0] >= PPP_CONTROL;
  if (LOAD16(header) != bpf_htons(PPPOE_SESSION_DATA)) return NULL;
  __u64 session = swapped16(LOAD16(header + PPPOE_SESSION_ID));
  frame->header_octets = frame->ethernet_octets + PPPOE_BYTES;
  frame->ppp_octets = bpf_ntohs(LOAD16(header + PPPOE_LENGTH));
  const struct ids *sessions = bpf_map_lookup_elem(&access, &interface->port);
  if (!sessions) return NULL;
  const __u32 *number = &sessions->entries[session];
#pragma unroll
  for (int i = 0; i < CHAIN_MAX; i++) {
    struct channel *channel = channel_of(number);
    if (!channel || channel->in_ids != session || (channel->flags & CHANNEL_L2TP)) return NULL;
    if (is_from_subscriber(frame, channel)) {
      frame->channel = *number;
      return channel;
    }
    number = &channel->next;
  }
  return NULL;
}

INLINE bool is_from_udp_peer(const struct frame *frame, const struct interface *interface,
                             const struct peer *peer, const __u8 *ip, const __u8 *udp) {
  const __u8 *to = frame->start;
  if (!(peer->flags & PEER_UDP) || peer->domain != interface->domain || !has_tags(frame, peer->in_tags))
    return false;
  if (LOAD32(to) != LOAD32(interface->mac) || LOAD16(to + 4) != LOAD16(interface->mac + 4)) return false;
  if (LOAD16(udp) != peer->remote_port || LOAD16(udp + 2) != peer->local_port) return false;
  if (frame->type == bpf_htons(ETHERTYPE_IPV4))
    return !(peer->flags & PEER_IPV6) && LOAD32(ip + IPV4_SOURCE) == peer->remote[0] &&
           LOAD32(ip + IPV4_DESTINATION) == peer->local[0];
  return (peer->flags & PEER_IPV6) && LOAD64(ip + IPV6_SOURCE) == LOAD64(peer->remote) &&
         LOAD64(ip + IPV6_SOURCE + 8) == LOAD64(peer->remote + 2) &&
         LOAD64(ip + IPV6_DESTINATION) == LOAD64(peer->local) &&
         LOAD64(ip + IPV6_DESTINATION + 8) == LOAD64(peer->local + 2);
}

// The octets of an IPv4 packet that is whole, without options, and UDP; 0 of any other.
INLINE __u32 ipv4_udp_octets(const __u8 *ip) {
  if (ip[0] != 0x45 || ip[IPV4_PROTOCOL] != PROTOCOL_UDP) return 0;
  if ((LOAD16(ip + IPV4_FRAGMENT) & ~bpf_htons(IPV4_DF)) != 0) return 0;
  __u64 sum = (__u64)LOAD32(ip) + LOAD32(ip + 4) + LOAD32(ip + 8) + LOAD32(ip + 12) + LOAD32(ip + 16);
  if (fold(sum) != 0xffff) return 0;
  return bpf_ntohs(LOAD16(ip + IPV4_TOTAL_LENGTH));
}

// A received UDP checksum says nothing here: the sender's kernel may have left it to a device that never was
// (veth).
INLINE __u32 ipv6_udp_octets(const __u8 *ip) {
  if (ip[0] >> 4 != 6 || ip[IPV6_NEXT_HEADER] != PROTOCOL_UDP) return 0;
  // none at all is an error (RFC 8200 §8.1), which the system counts
  if (LOAD16(ip + IPV6_BYTES + UDP_CHECKSUM) == 0) return 0;
  return IPV6_BYTES + bpf_ntohs(LOAD16(ip + IPV6_PAYLOAD_LENGTH));
}

// What stands in place of a UDP checksum that the sender's kernel left to a device: the sum of the
// pseudo-header. One of 65,535 checksums looks the same.
INLINE bool has_partial_checksum(const __u8 *ip, const __u8 *udp, __u32 ip_octets) {
  __u64 sum = (__u64)bpf_htons(PROTOCOL_UDP) + LOAD16(udp + UDP_LENGTH);
  sum = ip_octets == IPV4_BYTES ? words(ip + IPV4_SOURCE, sum, 8) : words(ip + IPV6_SOURCE, sum, 32);
  return LOAD16(udp + UDP_CHECKSUM) == fold(sum);
}

INLINE struct channel *l2tp_channel(struct frame *frame, __u64 ids) {
  const struct ids *known = bpf_map_lookup_elem(&tunnels, (const void *)&settings.zero);
  if (!known) return NULL;
  const struct page *directory = bpf_map_lookup_elem(&directories, &known->entries[ids >> 16]);
  if (!directory) return NULL;
  const struct page *page = bpf_map_lookup_elem(&sessions, &directory->entries[ids >> 8 & 0xff]);
  if (!page) return NULL;
  const __u32 *number = &page->entries[ids & 0xff];
  struct channel *channel = channel_of(number);
  frame->channel = *number;
  return channel && channel->in_ids == ids && (channel->flags & CHANNEL_L2TP) ? channel : NULL;
}

INLINE void leave_to_system(struct channel *channel) {
  struct channel *other = channel_of(&channel->other);
  channel->flags |= CHANNEL_SEQUENCED;
  if (other) other->flags |= CHANNEL_SEQUENCED;
}

INLINE struct channel *receive_l2tp(struct frame *frame, const struct interface *interface, __u32 ip_octets) {
  const __u8 *ip = frame->payload;
  const __u8 *udp = ip + ip_octets;
  const __u8 *l2tp = udp + UDP_BYTES;
  // with room for FF03 behind either header: what is shorter is none of these
  if (interface->domain == 0 || l2tp + L2TP_BYTES_WITH_LENGTH + 2 > frame->end) return NULL;
  __u32 packet = ip_octets == IPV4_BYTES ? ipv4_udp_octets(ip) : ipv6_udp_octets(ip);
  __u32 message = packet - ip_octets - UDP_BYTES;
  if (packet < ip_octets + UDP_BYTES + L2TP_BYTES_WITH_LENGTH + 2) return NULL;
  if (LOAD16(udp + UDP_LENGTH) != bpf_htons(packet - ip_octets)) return NULL;

  __u8 flags = l2tp[0];
  if ((l2tp[1] & L2TP_VERSION_MASK) != L2TP_VERSION || (flags & (L2TP_TYPE | L2TP_OFFSET))) return NULL;
  const __u8 *ppp = l2tp;
  __u32 header;
  __u64 ids;
  if (flags & L2TP_LENGTH) {
    if (LOAD16(l2tp + 2) != bpf_htons(message)) return NULL;
    ids = swapped32(LOAD32(l2tp + 4));
    header = L2TP_BYTES_WITH_LENGTH;
    ADVANCE(ppp, L2TP_BYTES_WITH_LENGTH);
  } else {
    if (interface->flags & INTERFACE_NEEDS_LENGTH) return NULL;
    ids = swapped32(LOAD32(l2tp + 2));
    header = L2TP_BYTES;
    ADVANCE(ppp, L2TP_BYTES);
  }
  struct channel *channel = l2tp_channel(frame, ids);
  if (!channel) return NULL;
  const struct peer *peer = peer_of(channel->in_peer);
  if (!peer || !is_from_udp_peer(frame, interface, peer, ip, udp)) return NULL;
  if ((interface->flags & INTERFACE_NEEDS_CHECKSUM) && has_partial_checksum(ip, udp, ip_octets)) return NULL;
  if (flags & L2TP_SEQUENCE) {
    if (!(channel->flags & CHANNEL_SEQUENCED)) leave_to_system(channel);
    return NULL;
  }
  if (LOAD16(ppp) == bpf_htons(ADDRESS_CONTROL)) {
    header += 2;
    ADVANCE(ppp, 2);
  }
  if (ppp + 1 > frame->end) return NULL;
  frame->control = ppp[0] >= PPP_CONTROL;
  frame->header_octets = frame->ethernet_octets + ip_octets + UDP_BYTES + header;
  frame->ppp_octets = message - header;
  return channel;
}

// The channel that a frame came on; NULL when it is the system's.
INLINE struct channel *receive(struct frame *frame, const struct interface *interface) {
  if (!read_ethernet(frame)) return NULL;
  switch (frame->type) {
    case bpf_htons(ETHERTYPE_PPPOE_SESSION):
      return receive_pppoe(frame, interface);
    case bpf_htons(ETHERTYPE_IPV4):
      return receive_l2tp(frame, interface, IPV4_BYTES);
    case bpf_htons(ETHERTYPE_IPV6):
      return receive_l2tp(frame, interface, IPV6_BYTES);
    default:
      return NULL;
  }
}
