/* The benchmark's generator, which BPF_PROG_TEST_RUN runs, and its sink, which is attached at the far end. */

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frames.h"

char licensing[] SEC("license") = "Dual MIT/GPL";

const volatile struct setup setup;
struct tally tally;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct flow);
} flows SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 2 * MOST_PEERS * MOST_SIZES);
  __type(key, __u32);
  __type(value, struct headers);
} headers SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct progress);
} progress SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, __u32);
} entrances SEC(".maps");

#define LONGEST (L2TP_HEADERS + setup.surplus)
#define OUTER \
  (setup.entry[direction] == IN_L2TP ? LONGEST : setup.entry[direction] == IN_PPPOE ? PPPOE_HEADERS : PLAIN_HEADERS)

static __always_inline __u16 load16(const __u8 *at) { return *(const __u16 *)at; }
static __always_inline __u32 load32(const __u8 *at) { return *(const __u32 *)at; }
static __always_inline __u64 load64(const __u8 *at) {
  return load32(at) | (__u64)load32(at + 4) << 32;
}
static __always_inline void store16(__u8 *at, __u16 value) { *(__u16 *)at = value; }
static __always_inline void store32(__u8 *at, __u32 value) { *(__u32 *)at = value; }
static __always_inline void store64(__u8 *at, __u64 value) {
  store32(at, value);
  store32(at + 4, value >> 32);
}

static __always_inline void stamp(__u8 *at, __u32 flow, __u32 sequence) {
  __u64 now = bpf_ktime_get_ns();
  store32(at, flow);
  store32(at + 4, ~flow);
  store32(at + 8, sequence);
  store32(at + 12, ~sequence);
  store64(at + 16, now);
  store64(at + 24, ~now);
}

static __always_inline __u16 folded(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u16 finished(__u32 sum) {
  __u16 all = folded(sum);
  return all == 0xffff ? all : ~all;
}

/* How often the generator's turns look at what has come: each look takes a cache line from the sink's processor. */
#define LOOKS_APART 32
#define PATIENCE_NS 200000000ull

/* Whether a frame of the direction is due. */
static __always_inline int inWindow(int direction, __u64 now) {
  struct sent *s = &tally.sent[direction];
  if (s->credit) {
    s->credit -= 1;
    return 1;
  }
  /* directions take turns */
  if (tally.pace.turns / 2 % LOOKS_APART) return 0;
  /* volatile: the sink is on another processor */
  volatile struct received *r = &tally.received[direction];
  __u64 settled = r->frames + r->missing;
  if (settled != s->settled || !s->settledNs) {
    s->settled = settled;
    s->settledNs = now;
    /* what was given up as lost shows as missing sooner or later */
    s->forgiven = 0;
  } else if (now - s->settledNs > PATIENCE_NS) {
    /* the last of them are lost, and nothing would ever come behind them */
    s->forgiven = s->frames - settled;
    s->settledNs = now;
    s->timeouts += 1;
  }
  __u64 onTheWay = s->frames - settled - s->forgiven;
  if (onTheWay >= setup.window) {
    s->waits += 1;
    return 0;
  }
  s->credit = setup.window - onTheWay - 1;
  return 1;
}

/* What a pause kept back leaves at no more than twice the rate: a burst would wait in the LAC for itself. */
static __always_inline int atRate(int direction, __u64 now, __u64 elapsed) {
  struct sent *s = &tally.sent[direction];
  __u64 due = elapsed * setup.rate / 1000000000ull;
  if (due <= s->frames) return 0;
  if (due - s->frames > s->largestBacklog) s->largestBacklog = due - s->frames;
  if (now < s->notBeforeNs) return 0;
  s->notBeforeNs = now + 500000000ull / setup.rate;
  return 1;
}

/* Where UDP is in a frame outside of L2TP. */
#define UDP_AT (ETH_HLEN + 20 + setup.surplus)
/* Where the subscriber's address is in a packet. */
#define ADDRESS (direction == setup.fromSubscribers ? 12 : 16)
#define IP_CHECKSUM 10
#define UDP_CHECKSUM 26

static __always_inline __u32 halves(__be32 address) { return (address & 0xffff) + (address >> 16); }

static __always_inline void writeAddress(__u8 *packet, int direction, __be32 address) {
  store32(packet + ADDRESS, address);
  store16(packet + IP_CHECKSUM, finished(load16(packet + IP_CHECKSUM) + halves(address)));
  store16(packet + UDP_CHECKSUM, finished(load16(packet + UDP_CHECKSUM) + halves(address)));
}

static __always_inline int write(struct xdp_md *context, int direction) {
  struct sent *s = &tally.sent[direction];
  __u32 number = s->flow;
  struct flow *flow = bpf_map_lookup_elem(&flows, &number);
  if (!flow || s->place >= ROUND) return XDP_ABORTED;
  __u32 size = setup.round[s->place] & (MOST_SIZES - 1);
  __u32 which = (direction * MOST_PEERS + flow->peer) * MOST_SIZES + size;
  struct headers *template = bpf_map_lookup_elem(&headers, &which);
  if (!template) return XDP_ABORTED;
  int tooMuch = setup.frameBytes - LONGEST - setup.octets[size];
  if (tooMuch > 0 && bpf_xdp_adjust_tail(context, -tooMuch)) return XDP_ABORTED;
  __u32 form = setup.entry[direction];
  if (form != IN_L2TP && bpf_xdp_adjust_head(context, (int)(LONGEST - OUTER))) return XDP_ABORTED;

  __u8 *frame = (void *)(long)context->data;
  __u8 *end = (void *)(long)context->data_end;
  if (frame + OUTER + PATTERN > end) return XDP_ABORTED;
  if (form == PLAIN) {
    __builtin_memcpy(frame, template->octets, PLAIN_HEADERS + INNER_HEADERS);
  } else if (form == IN_PPPOE) {
    __builtin_memcpy(frame, template->octets, PPPOE_HEADERS + INNER_HEADERS);
    __builtin_memcpy(frame + ETH_ALEN, flow->subscriber, ETH_ALEN);
    store16(frame + 16, flow->pppoe);
  } else {
    if (setup.surplus)
      __builtin_memcpy(frame, template->octets, L2TP_HEADERS + IPV6_SURPLUS + INNER_HEADERS);
    else
      __builtin_memcpy(frame, template->octets, L2TP_HEADERS + INNER_HEADERS);
    /* the packet's UDP checksum has made up for the address */
    __u32 inner = setup.routed ? halves(~flow->address) : 0;
    __u8 *udp = frame + UDP_AT;
    store16(udp + 6, finished(load16(udp + 6) + flow->lacTunnel + flow->lacSession + inner));
    store16(udp + 12, flow->lacTunnel);
    store16(udp + 14, flow->lacSession);
  }
  if (setup.routed) writeAddress(frame + OUTER, direction, flow->address);
  stamp(frame + OUTER + STAMP, number, s->sequence);

  s->frames += 1;
  if (++s->place == ROUND) s->place = 0;
  if (++number == setup.flows) {
    number = 0;
    s->sequence += 1;
  }
  s->flow = number;
  return bpf_redirect_map(&entrances, direction, 0);
}

/*
 * One turn: a frame of a direction in which one is due, or none. Pages are used again as others have left them, so all
 * headers are written anew. The pattern stays where it is, behind the room for the longer headers.
 */
SEC("xdp")
int generate(struct xdp_md *context) {
  struct pace *p = &tally.pace;
  __u64 now = bpf_ktime_get_ns();
  if (!p->startNs) p->startNs = now;
  __u64 elapsed = now - p->startNs;
  int ended = elapsed >= setup.durationNs;
  __u64 turn = p->turns;
  if (!ended || !setup.window) p->turns = turn + 1;
  if (ended && !p->endNs) {
    p->endNs = now;
    p->receivedInTime[UP] = tally.received[UP].frames;
    p->receivedInTime[DOWN] = tally.received[DOWN].frames;
  }
  /* what a pause kept back at the very end still leaves */
  if (ended) elapsed = setup.durationNs;
  if (ended && setup.window) return XDP_DROP;
  int up = setup.directions & 1 << UP && (!(setup.directions & 1 << DOWN) || turn & 1);
  int due = up ? (setup.window ? inWindow(UP, now) : atRate(UP, now, elapsed))
               : (setup.window ? inWindow(DOWN, now) : atRate(DOWN, now, elapsed));
  if (!due) {
    p->idleTurns += 1;
    return XDP_DROP;
  }
  return up ? write(context, UP) : write(context, DOWN);
}

/* Where the packet is in a frame that is for the subscriber or the LNS, if it is one of ours. */
struct carried {
  __u32 at;
  __u32 octets;
  /* what names the session */
  __u32 ids;
};

static __always_inline int readPppoe(__u8 *frame, __u8 *end, struct carried *carried) {
  if (frame + PPPOE_HEADERS + PATTERN > end) return 0;
  if (load16(frame + 14) != bpf_htons(0x1100) || load16(frame + 20) != bpf_htons(0x0021)) return 0;
  carried->at = PPPOE_HEADERS;
  carried->octets = bpf_ntohs(load16(frame + 18)) - 2;
  carried->ids = load16(frame + 16);
  return 1;
}

static __always_inline int readPlain(__u8 *frame, __u8 *end, struct carried *carried) {
  if (frame + PLAIN_HEADERS + PATTERN > end) return 0;
  if (frame[14] != 0x45 || (load16(frame + 20) & bpf_htons(0x3fff)) || frame[23] != 17) return 0;
  carried->at = PLAIN_HEADERS;
  carried->octets = bpf_ntohs(load16(frame + 16));
  return 1;
}

/* With the Length field or without, FF03 or not (RFC 2661 §3.1); the peer's choice. */
static __always_inline int readL2tp(__u8 *frame, __u8 *end, struct carried *carried) {
  if (frame + LONGEST + PATTERN - 4 > end) return 0;
  if (setup.surplus) {
    /* IPv6 without extension headers, UDP */
    if (load16(frame + 12) != bpf_htons(ETH_P_IPV6) || frame[14] >> 4 != 6 || frame[20] != 17) return 0;
  } else {
    /* IPv4 without options, no fragment, UDP */
    if (load16(frame + 12) != bpf_htons(ETH_P_IP)) return 0;
    if (frame[14] != 0x45 || (load16(frame + 20) & bpf_htons(0x3fff)) || frame[23] != 17) return 0;
  }
  __u32 at = UDP_AT + 10;
  __u16 flags = load16(frame + UDP_AT + 8);
  if (flags == bpf_htons(0x4002))
    at = UDP_AT + 12;
  else if (flags != bpf_htons(2))
    return 0;
  carried->ids = load32(frame + at);
  at += 4;
  if (load16(frame + at) == bpf_htons(0xff03)) at += 2;
  if (load16(frame + at) != bpf_htons(0x0021)) return 0;
  carried->at = at + 2;
  carried->octets = bpf_ntohs(load16(frame + UDP_AT + 4)) - (at + 2 - UDP_AT);
  return 1;
}

/* The size that has so many octets. */
static __always_inline __u32 sizeOf(__u32 octets) {
  __u32 size;
  for (size = 0; size < MOST_SIZES; size++)
    if (size < setup.sizes && setup.octets[size] == octets) break;
  return size;
}

static __always_inline int isOfFlow(int direction, const struct flow *flow, const __u8 *frame, __u32 ids) {
  __u32 form = setup.exit[direction];
  /* by its address, which is a header's */
  if (form == PLAIN) return 1;
  if (form == IN_L2TP) {
    __u16 tunnel = direction == UP ? flow->lnsTunnel : flow->lacTunnel;
    __u16 session = direction == UP ? flow->lnsSession : flow->lacSession;
    return ids == (tunnel | (__u32)session << 16);
  }
  const __u8 *mac = direction == UP ? frame + ETH_ALEN : frame;
  return ids == flow->pppoe && load16(mac) == load16(flow->subscriber) &&
         load16(mac + 2) == load16(flow->subscriber + 2) && load16(mac + 4) == load16(flow->subscriber + 4);
}

/* Of a damaged frame. */
static __always_inline int differs(struct damage *damage, __u32 what, __u32 at, __u32 width, __u32 expected,
                                   __u32 found) {
  damage->what = what;
  damage->at = at;
  damage->width = width;
  damage->expected = expected;
  damage->found = found;
  return 0;
}

/*
 * Of a packet that was routed: with one hop less, and a checksum that fits. Who cuts what was joined may give another
 * identification to a packet that nobody fragments (RFC 6864 section 4.1). Where the card would do the rest, there is only
 * the pseudo header in the UDP checksum.
 */
static __always_inline int routedHeadersHold(const __u8 *packet, const __u8 *template, int direction, __be32 address,
                                             struct damage *damage) {
  __u32 sum = 0;
  for (int i = 0; i < 20; i += 2) sum += load16(packet + i);
  if (folded(sum) != 0xffff) return differs(damage, OF_ROUTING, IP_CHECKSUM, 2, 0xffff, folded(sum));
  if (load32(packet + ADDRESS) != address)
    return differs(damage, OF_ROUTING, ADDRESS, 4, address, load32(packet + ADDRESS));
  __u16 checksum = load16(packet + UDP_CHECKSUM);
  __u16 whole = finished(load16(template + UDP_CHECKSUM) + halves(address));
  __u32 pseudo = halves(load32(packet + 12)) + halves(load32(packet + 16)) + bpf_htons(17) + load16(packet + 24);
  if (checksum != whole && checksum != folded(pseudo))
    return differs(damage, OF_ROUTING, UDP_CHECKSUM, 2, whole, checksum);
  for (int i = 0; i < UDP_CHECKSUM; i += 2)
    if (i != 4 && i != 8 && i != IP_CHECKSUM && i != ADDRESS && i != ADDRESS + 2 && load16(packet + i) != load16(template + i))
      return differs(damage, OF_HEADERS, i, 2, load16(template + i), load16(packet + i));
  return 1;
}

/* Words of the pattern that are compared in one go. A loop over single ones takes the kernel 50 ms to verify. */
#define BLOCK 8

struct scan {
  const __u8 *pattern;
  const __u8 *end;
  struct damage *damage;
  int holds;
};

static __always_inline int wordHolds(struct scan *scan, __u32 i) {
  /* the mask is for verifiers: no packet is longer */
  const __u8 *word = scan->pattern + (4 * i & 2047);
  if (word + 4 > scan->end) return scan->holds = differs(scan->damage, OF_PATTERN, PATTERN + 4 * i, 4, patternWord(i), 0);
  if (load32(word) != patternWord(i))
    return scan->holds = differs(scan->damage, OF_PATTERN, PATTERN + 4 * i, 4, patternWord(i), load32(word));
  return 1;
}

/* 1 ends it. */
static long scanBlock(__u32 block, struct scan *scan) {
  if (block >= MOST_PACKET / 4 / BLOCK) return 1;
  for (__u32 i = 0; i < BLOCK; i++)
    if (!wordHolds(scan, BLOCK * block + i)) return 1;
  return 0;
}

static __always_inline int patternHolds(const __u8 *packet, const __u8 *end, __u32 octets, struct damage *damage) {
  struct scan scan = {packet + PATTERN, end, damage, 1};
  __u32 words = (octets - PATTERN) / 4;
  bpf_loop(words / BLOCK, scanBlock, &scan, 0);
  __u32 first = words / BLOCK * BLOCK;
  for (__u32 i = 0; i < BLOCK && scan.holds; i++)
    if (i < words % BLOCK) wordHolds(&scan, first + i);
  return scan.holds;
}

static __always_inline int stampHolds(const __u8 *stamped, struct damage *damage) {
  for (int field = 0; field < 16; field += 8)
    if (load32(stamped + field + 4) != ~load32(stamped + field))
      return differs(damage, OF_STAMP, STAMP + field + 4, 4, ~load32(stamped + field), load32(stamped + field + 4));
  for (int half = 16; half < 24; half += 4)
    if (load32(stamped + half + 8) != ~load32(stamped + half))
      return differs(damage, OF_STAMP, STAMP + half + 8, 4, ~load32(stamped + half), load32(stamped + half + 8));
  return 1;
}

static __always_inline int innerHeadersHold(const __u8 *packet, const __u8 *template, struct damage *damage) {
  for (int i = 0; i < INNER_HEADERS; i += 2)
    if (load16(packet + i) != load16(template + i))
      return differs(damage, OF_HEADERS, i, 2, load16(template + i), load16(packet + i));
  return 1;
}

/* Over IPv6 there is one (RFC 8200 section 8.1). */
static __always_inline int outerChecksumHolds(const __u8 *frame, const __u8 *end, __u32 packetAt, struct damage *damage) {
  const __u8 *checksum = frame + UDP_AT + 6;
  if (checksum + 2 <= end && load16(checksum)) return 1;
  /* in front of the packet */
  return differs(damage, OF_HEADERS, UDP_AT + 6 - packetAt, 2, 0xffff, 0);
}

static __always_inline void note(struct received *r, struct progress *p, __u32 sequence) {
  __u32 ahead = sequence - p->next;
  if ((__s32)ahead >= 0) {
    p->seen = ahead >= 31 ? 1 : p->seen << (ahead + 1) | 1;
    p->next = sequence + 1;
    r->missing += ahead;
  } else {
    __u32 behind = ~ahead; /* 0: the newest */
    if (behind < 32 && (p->seen & 1u << behind)) {
      r->duplicated += 1;
      return;
    }
    if (behind < 32) p->seen |= 1u << behind;
    r->reordered += 1;
    r->missing -= 1;
  }
  r->frames += 1;
}

/* Sixteen for each power of two; below 16 ns one each. */
static __always_inline __u32 bucketOf(__u64 ns) {
  if (ns >= 1ull << 34) return LATENCIES - 1;
  if (ns < 16) return ns;
  __u32 power = 4;
  __u64 rest = ns >> 5;
  if (rest >= 1 << 16) power += 16, rest >>= 16;
  if (rest >= 1 << 8) power += 8, rest >>= 8;
  if (rest >= 1 << 4) power += 4, rest >>= 4;
  if (rest >= 1 << 2) power += 2, rest >>= 2;
  if (rest >= 1 << 1) power += 1, rest >>= 1;
  power += rest;
  return 16 * (power - 3) + ((ns >> (power - 4)) & 15);
}

enum { SOUND, DAMAGED, NOT_SEEN };

/* `damage`, where there is one, counts octets from the packet's first. */
static __always_inline int judge(int direction, __u8 *frame, __u8 *end, struct carried *carried,
                                 struct damage *damage) {
  struct received *r = &tally.received[direction];
  __u32 at = carried->at;
  __u8 *packet = frame + (at & 127);
  if (packet + PATTERN > end) return NOT_SEEN;
  __u32 octets = carried->octets;
  __u32 size = sizeOf(octets);
  if (size >= MOST_SIZES || octets > MOST_PACKET) {
    /* control protocols of the session, and what is damaged in its length */
    differs(damage, OF_LENGTH, 2, 2, load16(packet + 2), bpf_htons(octets));
    return DAMAGED;
  }
  __u32 which = direction * MOST_PEERS * MOST_SIZES + size;
  struct headers *template = bpf_map_lookup_elem(&headers, &which);
  if (!template) return NOT_SEEN;
  const __u8 *inner = template->octets + OUTER;
  if (!setup.routed && !innerHeadersHold(packet, inner, damage)) return DAMAGED;
  if (setup.surplus && setup.exit[direction] == IN_L2TP && !outerChecksumHolds(frame, end, at, damage)) return DAMAGED;
  __u8 *stamped = packet + STAMP;
  if (!stampHolds(stamped, damage)) return DAMAGED;
  __u32 number = load32(stamped);
  __u32 sequence = load32(stamped + 8);
  __u64 time = load64(stamped + 16);
  if (!(sequence % PATTERN_CHECKED) && !patternHolds(packet, end, octets, damage)) return DAMAGED;
  struct flow *flow = bpf_map_lookup_elem(&flows, &number);
  __u32 own = direction * setup.flows + number;
  struct progress *p = bpf_map_lookup_elem(&progress, &own);
  if (!flow || !p || !isOfFlow(direction, flow, frame, carried->ids)) {
    r->misdelivered += 1;
    return SOUND;
  }
  if (setup.routed && !routedHeadersHold(packet, inner, direction, flow->address, damage)) return DAMAGED;
  note(r, p, sequence);
  r->octets += octets;
  __u32 bucket = bucketOf(bpf_ktime_get_ns() - time);
  r->latency[bucket & (LATENCY_BUCKETS - 1)] += 1;
  return SOUND;
}

/* Kept of the first: it takes no time of frames that are sound. */
static __always_inline void noteDamage(struct xdp_md *context, struct received *r, struct damage *damage,
                                       __u32 packetAt) {
  if (r->damaged++) return;
  __u32 octets = bpf_xdp_get_buff_len(context);
  r->first = *damage;
  r->first.at += packetAt;
  r->first.octets = octets;
  bpf_xdp_load_bytes(context, 0, r->first.frame, octets < DAMAGE_KEPT ? DAMAGE_KEPT / 2 : DAMAGE_KEPT);
}

static __always_inline int sink(struct xdp_md *context, int direction) {
  __u8 *frame = (void *)(long)context->data;
  __u8 *end = (void *)(long)context->data_end;
  struct carried carried = {};
  int ours = 0;
  if (frame + ETH_HLEN <= end) {
    __u32 form = setup.exit[direction];
    __u16 type = load16(frame + 12);
    if (form == IN_PPPOE)
      ours = type == bpf_htons(0x8864) && readPppoe(frame, end, &carried);
    else if (form == IN_L2TP)
      ours = readL2tp(frame, end, &carried);
    else
      ours = type == bpf_htons(ETH_P_IP) && readPlain(frame, end, &carried);
  }
  if (!ours) {
    tally.received[direction].foreign += 1;
    return XDP_PASS;
  }
  struct damage damage = {};
  int verdict = judge(direction, frame, end, &carried, &damage);
  if (verdict == NOT_SEEN) return XDP_PASS;
  if (verdict == DAMAGED) noteDamage(context, &tally.received[direction], &damage, carried.at);
  return XDP_DROP;
}

/* At the LNSes. */
SEC("xdp")
int sinkUp(struct xdp_md *context) { return sink(context, UP); }

/* At the subscribers. */
SEC("xdp")
int sinkDown(struct xdp_md *context) { return sink(context, DOWN); }
