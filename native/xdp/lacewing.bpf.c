// Forwards frames of bridged channels: PPPoE to L2TP, L2TP to PPPoE, L2TP to L2TP, whatever PPP protocol they
// carry. Everything is decided before an octet is changed, and what is not plain goes to the system as it
// came: the loop beneath judges and counts it. Nothing is dropped here.

#include "length.h"
#include "receive.h"
#include "send.h"

char LICENSE[] SEC("license") = "MIT";

// CPUs take turns, so that none gives what another has just given: the packets may be fragmented on the way.
// Each CPU repeats one after 65,536 packets divided by the number of CPUs.
INLINE bool next_identification(__u16 *identification) {
  struct counters *own = counters_of(0);
  if (!own) return false;
  *identification = own->frames++ * settings.cpus + bpf_get_smp_processor_id();
  return true;
}

// Sends the PPP frame of `ppp_octets` behind `header_octets` of a frame of `length` to the other end of the
// bridge of a channel, which has this number.
INLINE int forward(struct xdp_md *context, const struct channel *channel, __u32 number, __u32 header_octets,
                   __u32 ppp_octets, bool control, __u32 length) {
  struct counters *counters = counters_of(number);
  if (!counters) return XDP_PASS;
  __u64 frames = counters->frames;
  SOON(frames);
  const struct peer *peer = peer_of(channel->to_peer);
  if (!peer) return XDP_PASS;
  __u32 flags = peer->flags;
  __u32 to = peer->ifindex;
  if (to == 0 || !is_header_size(peer, flags)) return XDP_PASS;
  if (ppp_octets < PPP_MIN || ppp_octets > peer->max_ppp) return XDP_PASS;
  if (length > LENGTH_MAX || header_octets + ppp_octets > length) return XDP_PASS;
  int padding = (int)(length - header_octets - ppp_octets);
  __u32 before = headers_octets(peer, flags);
  if (sums(flags) && before + ppp_octets > SUM_FROM + SUM_MAX) return XDP_PASS;

  struct departure departure = {
      .peer = peer, .flags = flags, .ids = channel->to_ids, .before = before, .ppp_octets = ppp_octets};
  if (gives_identification(flags) && !next_identification(&departure.identification)) return XDP_PASS;
  // no device, no redirect; what is said here holds only if the program returns it
  if (bpf_redirect_map(&devices, to, XDP_PASS) != XDP_REDIRECT) return XDP_PASS;

  int shrink = (int)header_octets - (int)before;
  if (bpf_xdp_adjust_head(context, shrink)) return XDP_PASS;
  if (padding && bpf_xdp_adjust_tail(context, -padding)) {
    // nothing has been written yet
    return bpf_xdp_adjust_head(context, -shrink) ? XDP_ABORTED : XDP_PASS;
  }
  if (!write_headers(context, &departure)) return XDP_ABORTED;
  counters->frames = frames + 1;
  counters->octets += ppp_octets;
  counters->control += control;
  return XDP_REDIRECT;
}

// By itself so that it is verified by itself: not once more for each way in which a frame may begin, which is
// too much where speculative execution is verified, too.
__attribute__((noinline)) int forward_plain(struct xdp_md *context, __u32 number, __u32 header_octets,
                                            __u32 ppp_octets, __u32 control) {
  const struct channel *channel = channel_of(&number);
  if (!channel) return XDP_PASS;
  return forward(context, channel, number, header_octets, ppp_octets, control, frame_length(context));
}

INLINE const struct channel *arrive(struct xdp_md *context, struct frame *frame) {
  __u32 ifindex = context->ingress_ifindex;
  const struct interface *interface = bpf_map_lookup_elem(&interfaces, &ifindex);
  if (!interface) return NULL;
  frame->start = frame_start(context);
  frame->end = frame_end(context);
  const struct channel *channel = receive(frame, interface);
  return channel && !(channel->flags & CHANNEL_SEQUENCED) ? channel : NULL;
}

// Where there is CAP_PERFMON: a frame's length is the difference of two pointers.
SEC("xdp")
int lacewing(struct xdp_md *context) {
  struct frame frame = {};
  const struct channel *channel = arrive(context, &frame);
  if (!channel) return XDP_PASS;
  return forward(context, channel, frame.channel, frame.header_octets, frame.ppp_octets, frame.control,
                 (__u32)(frame_end(context) - frame_start(context)));
}

// Where there is not.
SEC("xdp")
int lacewing_plain(struct xdp_md *context) {
  struct frame frame = {};
  if (!arrive(context, &frame)) return XDP_PASS;
  return forward_plain(context, frame.channel, frame.header_octets, frame.ppp_octets, frame.control);
}
