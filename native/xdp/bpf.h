// What every file of the program needs to be one that a verifier follows without CAP_PERFMON: there, a
// pointer into a frame may only be moved by constants, and the compiler must not make a variable of two
// constants.
#pragma once

// libbpf's headers take their types from the first one
// clang-format off
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
// clang-format on
#include <stdbool.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

// Frames are not aligned; the kernels of all machines that this runs on read and write them nevertheless.
typedef __u16 __attribute__((may_alias)) word16;
typedef __u32 __attribute__((may_alias)) word32;
typedef __u64 __attribute__((may_alias)) word64;

#define LOAD16(at) (*(const word16 *)(at))
#define LOAD32(at) (*(const word32 *)(at))
#define LOAD64(at) (*(const word64 *)(at))
#define STORE16(at, value) (*(word16 *)(at) = (value))
#define STORE32(at, value) (*(word32 *)(at) = (value))
#define STORE64(at, value) (*(word64 *)(at) = (value))

// Moves a pointer by a constant, in just this place.
#define ADVANCE(pointer, octets) asm volatile("%0 += %1" : "+r"(pointer) : "i"(octets))
// Has a value be there at this place: what is read early is waited for together with what is read next.
#define SOON(value) asm volatile("" : "+r"(value))

// The verifier of Linux 6.1 takes a number whose octets were swapped for any of 64 bits, and the compiler
// sees no need to mask it.
INLINE __u64 swapped16(__u16 wire) {
  __u64 number = bpf_ntohs(wire);
  asm volatile("%0 &= 0xffff" : "+r"(number));
  return number;
}
INLINE __u64 swapped32(__u32 wire) {
  __u64 number = bpf_ntohl(wire);
  asm volatile("%0 <<= 32\n%0 >>= 32" : "+r"(number));
  return number;
}

INLINE __u8 *frame_start(const struct xdp_md *context) { return (__u8 *)(long)context->data; }
INLINE __u8 *frame_end(const struct xdp_md *context) { return (__u8 *)(long)context->data_end; }
