/*
 * What the generator, the sink and the program that loads them agree on. Everything that stands in a frame is in
 * network order here, too.
 *
 * The carried packets are UDP over IPv4, all octets known beforehand but for the stamp:
 *
 *    0   IPv4 header, 20 octets
 *   20   UDP header, 8 octets
 *   28   flow         u32, and its complement
 *   36   sequence     u32, and its complement: counted by flow
 *   44   time         u64, nanoseconds of CLOCK_MONOTONIC, and its complement
 *   60   a pattern up to the end
 *
 * A field and its complement add nothing to a one's complement sum, so that one UDP checksum is right for all of
 * them, inside and outside, and a field that was damaged shows.
 */
#ifndef LACEWING_BENCH_FRAMES_H
#define LACEWING_BENCH_FRAMES_H

#include <linux/types.h>

enum { UP = 0, DOWN = 1 };

/* How packets are carried on a side of who is measured. */
enum { IN_PPPOE, IN_L2TP, PLAIN };

enum {
  PPPOE_HEADERS = 14 + 6 + 2,             /* Ethernet, PPPoE, PPP */
  PLAIN_HEADERS = 14,                     /* Ethernet */
  L2TP_HEADERS = 14 + 20 + 8 + 8 + 2 + 2, /* Ethernet, IPv4, UDP, L2TP with Length, FF03, PPP */
  IPV6_SURPLUS = 20,                      /* what an IPv6 header has more than one of IPv4 */
  INNER_HEADERS = 20 + 8,
  STAMP = 28,
  PATTERN = 60,
  MOST_SIZES = 4,
  MOST_PEERS = 16,
  MOST_PACKET = 1500,
  /* the mix is 7:4:1 */
  ROUND = 12,
  /* one of so many packets has its pattern compared: nobody changes one packet and not the next */
  PATTERN_CHECKED = 16,
  /* sixteen buckets for each power of two, up to 2^34 ns */
  LATENCIES = 16 * 31,
  /* a power of two, so that a mask shows every verifier that a bucket is one of them */
  LATENCY_BUCKETS = 512,
  /* all headers, and the stamp but for what IPv6 pushes out; half of it of a shorter frame, which none of ours is shorter than */
  DAMAGE_KEPT = 128,
};

/* A session. The ids of a tunnel and a session are those that the named end has given. */
struct flow {
  __u8 subscriber[6];
  __be16 pppoe;
  __be16 lacTunnel;
  __be16 lacSession;
  __be16 lnsTunnel;
  __be16 lnsSession;
  __u16 peer;
  __u16 unused;
  /* the subscriber's, where his packets leave PPP */
  __be32 address;
};

/* One run; constant while the programs are loaded. */
struct setup {
  __u32 flows;
  /* one or both of 1 << UP, 1 << DOWN */
  __u32 directions;
  /* how frames of each direction go in, and how they come out */
  __u32 entry[2];
  __u32 exit[2];
  /* 1: somebody takes packets out of PPP and routes them */
  __u32 routed;
  /* octets that the header outside of L2TP has more than one of IPv4: none, or IPV6_SURPLUS */
  __u32 surplus;
  /* the direction of what subscribers send; the other is the far host's */
  __u32 fromSubscribers;
  __u32 sizes;
  /* of the packets, in host order */
  __u32 octets[MOST_SIZES];
  /* which of them is sent when */
  __u32 round[ROUND];
  /* octets of the longest frame, which every frame is before it is cut */
  __u32 frameBytes;
  /* Frames of a direction that may be on the way; 0: `rate` says when one leaves. */
  __u32 window;
  /* Frames a second and direction. */
  __u64 rate;
  __u64 durationNs;
};

/*
 * The headers of frames of one size to one peer, without what is the flow's. The outer UDP checksum is the sum of all
 * other octets, not yet complemented; so are the packet's checksums where its address is the flow's.
 */
struct headers {
  __u8 octets[L2TP_HEADERS + IPV6_SURPLUS + INNER_HEADERS];
  __u8 unused[2];
};

/* What a session's sequence has come to: the next number, and which of the 32 before it have come. */
struct progress {
  __u32 next;
  __u32 seen;
};

/* Of the generator, for each direction. */
struct sent {
  __u64 frames;
  __u32 flow;
  __u32 sequence;
  __u32 place;
  /* of the window: frames that may leave before anybody has to look what has come */
  __u32 credit;
  /* looks at what has come that opened nothing */
  __u64 waits;
  /* what had come at the last look that saw something, when that was, and what has been given up as lost since */
  __u64 settled;
  __u64 settledNs;
  __u64 forgiven;
  /* how often a whole window was given up */
  __u64 timeouts;
  /* at a rate: the most frames that a pause kept back, and that left late; when the next may leave */
  __u64 largestBacklog;
  __u64 notBeforeNs;
} __attribute__((aligned(64)));

/* Of the generator. */
struct pace {
  __u64 startNs;
  __u64 turns;
  __u64 idleTurns;
  /* before the end */
  __u64 endNs;
  /* what had come then, of each direction */
  __u64 receivedInTime[2];
} __attribute__((aligned(64)));

/* What was wrong with a frame: its length, a header of the packet, the stamp, the pattern, or what routing may change. */
enum { OF_LENGTH = 1, OF_HEADERS, OF_STAMP, OF_PATTERN, OF_ROUTING };

/* The first damaged frame: enough to find who it was. Octets stand as they do in the frame. */
struct damage {
  __u32 what;
  /* where in the frame, and how many octets are compared there */
  __u32 at;
  __u32 width;
  __u32 expected;
  __u32 found;
  /* of the whole frame */
  __u32 octets;
  __u8 frame[DAMAGE_KEPT];
};

/* Of a direction's sink. */
struct received {
  __u64 frames; /* each once */
  __u64 octets; /* of their packets */
  /* what a later frame of the flow has overtaken or survived */
  __u64 missing;
  __u64 duplicated;
  __u64 reordered;
  __u64 damaged;
  __u64 misdelivered;
  __u64 foreign; /* went on to the host */
  struct damage first;
  __u64 latency[LATENCY_BUCKETS];
} __attribute__((aligned(64)));

struct tally {
  struct pace pace;
  struct sent sent[2];
  struct received received[2];
};

/* Four octets of the pattern, the first four being number 0. */
static inline __u32 patternWord(__u32 number) { return (number + 1) * 0x9e3779b1u; }

#endif
