// The tables that the XDP program forwards by, shared by the program, its loader and (as offsets in
// src/io/xdp.ts) by whoever writes them. Every table is an array of fixed stride in memory of the program and
// of the process at once. Numbers are in host order; octets that are compared with a frame or copied into one
// are as on the wire.
//
// One writer, many readers that never wait: an entry is filled first and then becomes reachable by one
// aligned 32-bit store into what points at it (a page of `access` or `sessions`, `next` of a channel,
// `peerSlots`). Taking that back makes it unreachable; it may be written again once every run of the program
// that may have found it is over. Number 0 means none everywhere, so entry 0 of every table is unused.
#pragma once

#include <linux/types.h>

// Entries of one step of an index; pages of a table lie one after the other.
#define PAGE_ENTRIES 256

struct page {
  __u32 entries[PAGE_ENTRIES];
};

// By all ids that there can be.
#define ID_ENTRIES 65536

struct ids {
  __u32 entries[ID_ENTRIES];
};

// By ifindex. A frame from an interface with neither port nor domain is left alone.
struct interface {
  __u32 port;    // 0  whose sessions PPPoE frames belong to: `access` has 65536 entries for each port
  __u32 domain;  // 4  peers are believed only on interfaces of theirs: the routing table that a UDP port is
                 // bound to
  __u8 mac[6];   // 8  where L2TP must be addressed to
  __u16 flags;   // 14 INTERFACE_…
};

// Leave L2TP messages without a length field to the system: where frames have not been cut apart yet (generic
// mode over veth), several of them look like one.
#define INTERFACE_NEEDS_LENGTH 1
// Leave L2TP messages to the system whose UDP checksum has been left to a device that never was (veth, the
// network of virtual machines): in generic mode that stays with the packet, whatever headers it gets, and the
// device that it leaves by would write a checksum into the middle of them.
#define INTERFACE_NEEDS_CHECKSUM 2

// What goes before the PPPoE header of frames to a subscriber.
struct subscriber {
  __u16 header_bytes;  // 0  octets of `header`: 14, 18 or 22
  __u16 max_ppp;       // 2  as in struct peer
  __u8 header[24];     // 4
  __u8 unused[4];      // 28
};

// One end of a bridge, as frames arrive on it. `access` and `sessions` hold only bridged channels. One cache
// line: whoever sent a PPPoE frame is judged by it alone, and frames to a subscriber are made by it alone,
// since of tens of thousands of sessions no other line would be at hand.
struct channel {
  __u32 flags;    // 0  CHANNEL_…
  __u32 in_ids;   // 4  PPPoE: session id. L2TP: our tunnel id << 16 | our session id
  __u32 in_peer;  // 8  L2TP: who must have sent them
  __u32 next;  // 12 PPPoE: another channel of that session id on the port, under other tags; CHAIN_MAX in all
  __u32 other;       // 16 the channel at the other end
  __u32 to_peer;     // 20 whom they go to; not with CHANNEL_TO_SUBSCRIBER
  __u32 to_ids;      // 24 PPPoE: session id. L2TP: the peer's tunnel id << 16 | its session id
  __u32 to_ifindex;  // 28 CHANNEL_TO_SUBSCRIBER: where they leave
  union {
    struct {
      __u32 in_tags[2];  // 32 PPPoE: their tags, outermost first: TPID << 16 | VLAN id; 0 for none
      __u8 in_macs[12];  // 40 PPPoE: their MAC addresses, destination first
    };
    struct subscriber to;  // 32 CHANNEL_TO_SUBSCRIBER
  };
};

#define CHANNEL_L2TP 1
// Set by the program, on both ends, when a message with a sequence number came: the system forwards from then
// on.
#define CHANNEL_SEQUENCED 2
// An L2TP channel whose frames go to a PPPoE session.
#define CHANNEL_TO_SUBSCRIBER 4

#define CHAIN_MAX 4

// MAC addresses, two tags, EtherType, IPv6, UDP.
#define HEADER_MAX 70

// What an L2TP peer is now. Channels name a peer, `peerSlots` says which of these describes it.
struct peer {
  __u32 flags;         // 0   PEER_…
  __u32 ifindex;       // 4   where frames to it leave; 0: not known, the system forwards
  __u16 header_bytes;  // 8   octets of `header`: 42 to HEADER_MAX, even
  __u16 max_ppp;       // 10  octets of the largest PPP frame, from its protocol field on, that it gets
  __u16 ip_sum;       // 12  IPv4: sum of the header's words without total length, identification and checksum
  __u16 udp_sum;      // 14  sum of addresses, protocol and ports; neither of the two lengths
  __u32 in_tags[2];   // 16  tags of frames from it, as those of channels
  __u32 domain;       // 24  the interfaces that it is believed on
  __u8 header[72];    // 28  all that goes before L2TP's header; lengths, id and checksums 0
  __u16 remote_port;  // 100 where its messages come from and go to, as on the wire
  __u16 local_port;   // 102
  __u32 remote[4];    // 104 addresses as on the wire; IPv4 in the first four octets
  __u32 local[4];     // 120
  __u8 unused[56];    // 136
};

#define PEER_LENGTH 1           // send L2TP's length field
#define PEER_ADDRESS_CONTROL 2  // send FF03
#define PEER_UDP 4              // an entry without it is none
#define PEER_IPV6 16
#define PEER_CHECKSUM 32  // send UDP checksums; always with IPv6
#define PEER_SUM_ALL 64   // sum every octet for them, even where inner headers would tell
#define PEER_KEEP_ID 128  // IPv4: leave the identification 0 (DF is set)

// What a channel received and the program forwarded; [CPU * channels + channel], each written by its CPU
// alone. A CPU that has none forwards nothing. The channel at the other end sent as much. Octets are of PPP,
// from the protocol field on.
struct counters {
  __u64 frames;   // 0
  __u64 octets;   // 8
  __u64 control;  // 16 frames of protocols from 0x8000 on
  __u64 unused;   // 24
};

// What the loader tells the program.
struct settings {
  __u32 counts_per_cpu;  // entries of counters for each CPU: the largest channel number and one
  __u32 cpus;            // that share the identifications
  __u32 zero;
};
