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

// What has arrived: the PPP frame of `ppp_octets` behind `header_octets` of a frame of `length`.
struct arrival {
  __u32 header_octets;
  __u32 ppp_octets;
  __u32 length;
};

// Finds the device to leave by, and then makes room for `before` octets in place of the headers; XDP_REDIRECT
// when both are there. In any other case nothing has been written.
INLINE int make_room(struct xdp_md *context, const struct arrival *arrival, __u32 to, __u32 before) {
  // no device, no redirect; what is said here holds only if the program returns it
  if (bpf_redirect_map(&devices, to, XDP_PASS) != XDP_REDIRECT) return XDP_PASS;
  int shrink = (int)arrival->header_octets - (int)before;
  int padding = (int)(arrival->length - arrival->header_octets - arrival->ppp_octets);
  if (bpf_xdp_adjust_head(context, shrink)) return XDP_PASS;
  if (padding && bpf_xdp_adjust_tail(context, -padding))
    return bpf_xdp_adjust_head(context, -shrink) ? XDP_ABORTED : XDP_PASS;
  return XDP_REDIRECT;
}

INLINE int send_to_subscriber(struct xdp_md *context, const struct channel *channel,
                              const struct arrival *arrival) {
  __u32 octets = channel->to.header_bytes;
  if (!is_link_size(octets) || arrival->ppp_octets > channel->to.max_ppp) return XDP_PASS;
  int action = make_room(context, arrival, channel->to_ifindex, octets + PPPOE_BYTES);
  if (action != XDP_REDIRECT) return action;
  return write_pppoe_headers(context, channel, arrival->ppp_octets) ? XDP_REDIRECT : XDP_ABORTED;
}

INLINE int send_to_peer(struct xdp_md *context, const struct channel *channel,
                        const struct arrival *arrival) {
  __u32 ppp_octets = arrival->ppp_octets;
  const struct peer *peer = peer_of(channel->to_peer);
  if (!peer) return XDP_PASS;
  __u32 flags = peer->flags;
  __u32 to = peer->ifindex;
  __u32 octets = peer->header_bytes;
  if (to == 0 || !is_header_size(octets, flags) || ppp_octets > peer->max_ppp) return XDP_PASS;
  __u32 before = octets + l2tp_octets(flags);
  if (sends_checksum(flags) && before + ppp_octets > SUM_FROM + SUM_MAX) return XDP_PASS;

  struct departure departure = {
      .peer = peer, .flags = flags, .ids = channel->to_ids, .before = before, .ppp_octets = ppp_octets};
  if (gives_identification(flags) && !next_identification(&departure.identification)) return XDP_PASS;
  int action = make_room(context, arrival, to, before);
  if (action != XDP_REDIRECT) return action;
  return write_l2tp_headers(context, &departure) ? XDP_REDIRECT : XDP_ABORTED;
}

// Sends what has arrived on a channel, which has this number, to the other end of its bridge.
INLINE int forward(struct xdp_md *context, const struct channel *channel, __u32 number,
                   const struct arrival *arrival, bool control) {
  __u32 ppp_octets = arrival->ppp_octets;
  struct counters *counters = counters_of(number);
  if (!counters) return XDP_PASS;
  __u64 frames = counters->frames;
  SOON(frames);
  if (ppp_octets < PPP_MIN || arrival->length > LENGTH_MAX) return XDP_PASS;
  if (arrival->header_octets + ppp_octets > arrival->length) return XDP_PASS;
  int action = channel->flags & CHANNEL_TO_SUBSCRIBER ? send_to_subscriber(context, channel, arrival)
                                                      : send_to_peer(context, channel, arrival);
  if (action != XDP_REDIRECT) return action;
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
  struct arrival arrival = {
      .header_octets = header_octets, .ppp_octets = ppp_octets, .length = frame_length(context)};
  return forward(context, channel, number, &arrival, control);
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
  struct arrival arrival = {.header_octets = frame.header_octets,
                            .ppp_octets = frame.ppp_octets,
                            .length = (__u32)(frame_end(context) - frame_start(context))};
  return forward(context, channel, frame.channel, &arrival, frame.control);
}

// Where there is not.
SEC("xdp")
int lacewing_plain(struct xdp_md *context) {
  struct frame frame = {};
  if (!arrive(context, &frame)) return XDP_PASS;
  return forward_plain(context, frame.channel, frame.header_octets, frame.ppp_octets, frame.control);
}
