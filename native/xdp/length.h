// How long a frame is.
//
// Without CAP_PERFMON a program may neither subtract pointers nor add a variable to one, and the helper that
// tells the length came with Linux 5.18. So it is found by halving, each step a constant.
#pragma once

#include "bpf.h"

// Frames of more octets are the system's.
#define LENGTH_MAX 2047

#define HALF(octets)          \
  if (at + (octets) <= end) { \
    ADVANCE(at, octets);      \
    length += (octets);       \
  }

// At most LENGTH_MAX + 1, which stands for everything above.
__attribute__((noinline)) __u32 frame_length(struct xdp_md *context) {
  const __u8 *at = frame_start(context);
  const __u8 *end = frame_end(context);
  __u32 length = 0;
  if (at + LENGTH_MAX + 1 <= end) return LENGTH_MAX + 1;
  HALF(1024);
  HALF(512);
  HALF(256);
  HALF(128);
  HALF(64);
  HALF(32);
  HALF(16);
  HALF(8);
  HALF(4);
  HALF(2);
  HALF(1);
  return length;
}
#undef HALF
