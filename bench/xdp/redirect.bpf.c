/* The least that XDP can do with a frame: everything of ours that comes in here leaves there, as it is. */

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char licensing[] SEC("license") = "Dual MIT/GPL";

const volatile __u32 target;

SEC("xdp")
int redirect(struct xdp_md *context) {
  struct ethhdr *ethernet = (void *)(long)context->data;
  if ((void *)(ethernet + 1) > (void *)(long)context->data_end) return XDP_PASS;
  if (ethernet->h_proto == bpf_htons(ETH_P_ARP)) return XDP_PASS;
  return bpf_redirect(target, 0);
}
