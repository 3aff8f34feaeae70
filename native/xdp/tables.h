// The tables of layout.h as maps. The loader sets how many entries each has.
#pragma once

#include "bpf.h"
#include "layout.h"

_Static_assert(sizeof(struct page) == 1024, "pages");
_Static_assert(sizeof(struct interface) == 16, "interfaces");
_Static_assert(sizeof(struct channel) == 64, "channels");
_Static_assert(sizeof(struct peer) == 192, "peers");
_Static_assert(sizeof(struct counters) == 32, "counters");

#define TABLE(name, entry)             \
  struct {                             \
    __uint(type, BPF_MAP_TYPE_ARRAY);  \
    __uint(map_flags, BPF_F_MMAPABLE); \
    __uint(max_entries, 1);            \
    __type(key, __u32);                \
    __type(value, entry);              \
  } name SEC(".maps")

TABLE(interfaces, struct interface);
TABLE(access, struct ids);
TABLE(tunnels, struct ids);
TABLE(directories, struct page);
TABLE(sessions, struct page);
TABLE(channels, struct channel);
TABLE(peer_slots, struct page);
TABLE(peers, struct peer);
TABLE(counts, struct counters);

// By ifindex: the devices that frames may leave by. The kernel takes one out when it is gone.
struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} devices SEC(".maps");

// Written by the loader before the program is verified.
const volatile struct settings settings = {};

// Numbers are looked up where they are: a copy on the stack costs a barrier against speculation where there
// is no CAP_PERFMON. What entry 0 holds, which is all zero, is of nobody.
INLINE struct channel *channel_of(const __u32 *number) { return bpf_map_lookup_elem(&channels, number); }

INLINE const struct peer *peer_of(__u64 number) {
  __u32 key = number / PAGE_ENTRIES;
  const struct page *page = bpf_map_lookup_elem(&peer_slots, &key);
  if (!page) return NULL;
  // the verifier of Linux 6.1 does not know of a copy what a comparison has told: the bound comes with the
  // number
  asm volatile("%0 &= %1" : "+r"(number) : "i"(PAGE_ENTRIES - 1));
  return bpf_map_lookup_elem(&peers, &page->entries[number]);
}

// Number 0 is what this CPU gives identifications by.
INLINE struct counters *counters_of(__u32 channel) {
  __u32 key = bpf_get_smp_processor_id() * settings.counts_per_cpu + channel;
  return bpf_map_lookup_elem(&counts, &key);
}
