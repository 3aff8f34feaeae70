/**
 * What the native addon gives: descriptors, mappings and batches. It knows no protocol.
 *
 * Ownership: a descriptor belongs to the thread (isolate) that opened it and is closed with close(fd), or when
 * that thread ends. Other threads of the process may use its number meanwhile. Failures of opening and
 * configuring throw a SystemError-like Error with `code` ("EPERM"), `errno` (positive number), `syscall`
 * ("bind") and `subject` (the device or address it was about), all of them in the message too. Sending and
 * receiving of batches never throws: errors are counts.
 */

/** An Error thrown by the addon. */
export interface NativeError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly subject: string;
}

export interface PacketOptions {
  readonly ifindex: number;
  /** For error messages. */
  readonly name: string;
  /** EtherType to bind to in host order; ETH_P_ALL (3) when absent. */
  readonly protocol?: number;
  /** A classic BPF program: struct sock_filter[] as raw octets (host order), attached before binding. */
  readonly filter: Uint8Array;
  /** TPACKET_V2 receive ring: number of slots (power of two) and octets of each (power of two ≥ 2048). */
  readonly ringSlots: number;
  readonly slotBytes: number;
  /** Octets of headroom to keep before the MAC header in each slot. */
  readonly headroomBytes: number;
  readonly sendBufferBytes: number;
  /** Of a socket without a ring: SO_RCVBUFFORCE, falling back as with UDP. Absent: as the system has it. */
  readonly receiveBufferBytes?: number;
  /** PACKET_QDISC_BYPASS. */
  readonly bypassQdisc: boolean;
  /** PACKET_MR_PROMISC. */
  readonly promiscuous: boolean;
  /**
   * Join this fanout group: mode and flags of packet(7) with the program for PACKET_FANOUT_CBPF, if any. With
   * FANOUT_UNIQUE, and 0 for the group, it is a new one that nobody has, which fanoutGroup() tells.
   */
  readonly fanout?: { readonly group: number; readonly mode: number; readonly program?: Uint8Array };
}

/** An AF_XDP socket that frames are sent by, in copy mode. */
export interface XskOptions {
  readonly ifindex: number;
  /** For error messages. */
  readonly name: string;
  /** Of the device's queues, counted from 0: an AF_XDP socket has it for itself. */
  readonly queue: number;
  /** Frames that may be on the way to the device at one time (a power of two), and octets of each: 2048, or a page. */
  readonly slots: number;
  readonly slotBytes: number;
  readonly sendBufferBytes: number;
}

/** Modes and flags of fanout groups. */
export const FANOUT_BY_PROGRAM = 6;
export const FANOUT_UNIQUE = 0x2000;
/** In a group PACKET_IGNORE_OUTGOING of its members counts for nothing. */
export const FANOUT_IGNORE_OUTGOING = 0x4000;

export interface UdpOptions {
  readonly family: 4 | 6;
  /** Raw address octets (4 or 16). */
  readonly address: Uint8Array;
  readonly port: number;
  /** SO_BINDTOIFINDEX when not 0. */
  readonly ifindex: number;
  /** Bind to an address that is not there yet (IP_FREEBIND). */
  readonly freeBind?: boolean;
  readonly reusePort: boolean;
  /** With reusePort: classic BPF that picks the member (SO_ATTACH_REUSEPORT_CBPF), raw sock_filter octets. */
  readonly reusePortProgram?: Uint8Array;
  /** SO_RCVBUFFORCE / SO_SNDBUFFORCE, falling back to SO_RCVBUF / SO_SNDBUF without privilege. */
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** UDP_GRO. */
  readonly gro: boolean;
  /** false: SO_NO_CHECK (IPv4 data without checksum). */
  readonly checksum: boolean;
  /** "clear": IP_PMTUDISC_DONT (the kernel fragments); "probe": IP_PMTUDISC_PROBE (DF, no kernel PMTU). */
  readonly df: "clear" | "probe";
}

/** What a device in another network namespace is made and set up with; using them takes CAP_NET_ADMIN only. */
export interface NamespaceFiles {
  /** rtnetlink of that namespace. */
  readonly netlink: number;
  /** /dev/net/tun as opened there, one for each queue that a device is to have. */
  readonly tuns: readonly number[];
}

interface TunOptions {
  readonly name: string;
  /** Of the network namespace that the device is born in; ours when absent. The tuns are taken over, also when the system refuses. */
  readonly files?: NamespaceFiles;
  /** IFF_MULTI_QUEUE when more than one. */
  readonly queues: number;
  /** IFF_VNET_HDR with a header of 10 octets before each packet, in little-endian order. */
  readonly vnetHeader: boolean;
  /**
   * With the header: the host leaves checksums and the cutting into segments to us, of TCP and, where the kernel knows
   * that, of UDP. Absent: false.
   */
  readonly segments?: boolean;
  /**
   * Which of several queues a packet from the host waits in: that of its flow (the kernel's own, and the default), or that
   * of an address: all packets to it, or from it, are in one. Of IPv6 the first 64 bits count.
   */
  readonly steering?: "flow" | "destination" | "source";
}

/** One ICMP error or similar from a socket's error queue (IP_RECVERR). */
interface SocketError {
  /** Symbolic: "ECONNREFUSED", "EMSGSIZE", "EHOSTUNREACH". */
  readonly code: string;
  readonly errno: number;
  /** ee_info: the MTU with EMSGSIZE. */
  readonly info: number;
  /** Destination of the datagram that failed: raw address octets and port. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Type and code of the ICMP error (of ICMPv6 with an address of 16 octets), and who sent it: empty when the host says so. */
  readonly type: number;
  readonly icmpCode: number;
  readonly reporter: Uint8Array;
}

/**
 * Receive descriptors: RX_STRIDE Int32 each.
 *  [RX_OFFSET]  where the frame starts in the region
 *  [RX_LENGTH]  octets of it that are there
 *  [RX_AUX]     UDP: size of each coalesced segment (= length when not coalesced). Packet: original length on the wire
 *  [RX_ADDRESS] UDP: region offset of an address record (see ADDRESS_*) of sender and local address. Else 0
 */
export const RX_STRIDE = 4;
export const RX_OFFSET = 0;
export const RX_LENGTH = 1;
export const RX_AUX = 2;
export const RX_ADDRESS = 3;

/**
 * Address records, 64 octets: how sockets' addresses cross the boundary, in regions and in shared tables.
 *   0  u8   family: 4 or 6
 *   2  u16  port, network order
 *   4  u32  scope id (ifindex of link-local IPv6), host order
 *   8  16×u8 remote address (IPv4 in the first four)
 *  24  16×u8 local address (IPv4 in the first four; all zero on send: let the system choose)
 *  40  u32  local ifindex (on receive: where it came in; on send: 0), host order
 *  44  u32  on send: largest datagram (UDP payload octets) that may be grouped into one UDP_SEGMENT send; 0 never, host order
 *  48  u8   on send: DSCP/ECN octet (IP_TOS / IPV6_TCLASS); 0 sends no ancillary data for it
 */
export const ADDRESS_BYTES = 64;
export const ADDRESS_FAMILY = 0;
export const ADDRESS_PORT = 2;
export const ADDRESS_REMOTE = 8;
export const ADDRESS_LOCAL = 24;
export const ADDRESS_IFINDEX = 40;
export const ADDRESS_GROUP_MAX = 44;
export const ADDRESS_TOS = 48;

/**
 * Send descriptors: TX_STRIDE Int32 each; a frame is a head piece followed by a body piece, both in the region,
 * gathered by the kernel. A head length of 0 sends the body alone.
 *  [TX_ADDRESS] UDP: octet offset of the destination's address record in the table given to Region
 *  [TX_MORE]    TUN: 1 when the packet goes on in the next descriptor, else 0
 *  [TX_USER]    the caller's; UDP: its lowest octet is of whatever must stay in order
 */
export const TX_STRIDE = 6;
export const TX_HEAD_OFFSET = 0;
export const TX_HEAD_LENGTH = 1;
export const TX_BODY_OFFSET = 2;
export const TX_BODY_LENGTH = 3;
export const TX_ADDRESS = 4;
export const TX_MORE = 4;
export const TX_USER = 5;

/**
 * Stretches of the region that are summed:
 *  [SUM_OFFSET] where it starts
 *  [SUM_LENGTH] its octets
 *  [SUM_RESULT] ones' complement sum of its 16-bit words in network order (RFC 1071), folded: 0 to 65535. An odd last
 *               octet counts as if a zero followed. -1 when the stretch is not in the region
 */
export const SUM_STRIDE = 3;
export const SUM_OFFSET = 0;
export const SUM_LENGTH = 1;
export const SUM_RESULT = 2;

/** A source of batches mapped into a region. */
export interface Receiver {
  /**
   * Fills `descriptors` with at most `max` frames that are there now; never blocks. Frames stay valid until release().
   * Returns their number, or a negative errno when the socket is dead (ENETDOWN, EBADFD, …).
   */
  receive(descriptors: Int32Array, max: number): number;
  /** Gives the buffers of everything received so far back to the kernel. */
  release(): void;
  /** Frames that the kernel dropped before we read them, since the last call. */
  overflows(): number;
  /** Unmaps; the stretch of the region becomes anonymous zero pages. Does not close the descriptor. */
  close(): void;
}

/** One reserved stretch of address space, seen as one Uint8Array that stays valid as long as anything refers to it. */
export interface Region {
  readonly bytes: Uint8Array;
  /** Takes the next `size` octets (page aligned) as plain zeroed memory; returns the offset. */
  allocate(size: number): number;
  /** Maps a packet socket's receive ring here. VLAN tags from the metadata are put back where the wire had them. */
  packetReceiver(fd: number, options: PacketOptions): Receiver;
  /** Buffers for a UDP socket: `slots` of `slotBytes` (64 KiB for UDP_GRO), each with its address record. */
  udpReceiver(fd: number, slots: number, slotBytes: number): Receiver;
  /**
   * Reads a TUN queue into `areaBytes` octets at `area`, which allocate() gave and which other receivers may use in turn:
   * after release(). A packet has `largestBytes` at most, starts with the vnet header, if the device has one, and has
   * `headroomBytes` free before it.
   */
  tunReceiver(
    fd: number,
    area: number,
    areaBytes: number,
    largestBytes: number,
    headroomBytes: number,
  ): Receiver;
  /**
   * Sends up to `count` frames in order. Returns how many were taken (all `count`, or fewer when the queue is
   * full or a frame was refused): the caller decides about the first that was not. `lastErrno` says why.
   */
  sendPacket(fd: number, descriptors: Int32Array, count: number): number;
  /**
   * As sendPacket, to the address record of each descriptor in `addresses`. Neighbouring frames to one address
   * with equal lengths (the last may be shorter) that fit its ADDRESS_GROUP_MAX go as one UDP_SEGMENT send. To have more of
   * these, it first changes the order of the descriptors, in place, by 256 at a time: those that have the lowest octet of
   * TX_USER in common stay in theirs. What is not taken is behind what is, in the new order.
   */
  sendUdp(fd: number, descriptors: Int32Array, count: number, addresses: Uint8Array): number;
  /** As sendPacket, one packet after the other; a packet may have several descriptors (TX_MORE). Counts descriptors. */
  sendTun(fd: number, descriptors: Int32Array, count: number): number;
  /** Writes the sum of each of `count` stretches of the region into `ranges`, SUM_STRIDE Int32 each. */
  sum(ranges: Int32Array, count: number): void;
  /** errno of the last send that took fewer than `count`; 0 when it took all. */
  readonly lastErrno: number;
}

/** Blocks a worker until a descriptor is ready or somebody signals `wakeFd`. */
export interface Poller {
  /** An eventfd: signal(wakeFd) from any thread ends the wait. The one that createPoller() was given, if any. */
  readonly wakeFd: number;
  /** `token`: a non-negative integer that wait() reports. `input` false: only errors and hang-ups are waited for. */
  add(fd: number, token: number, input?: boolean): void;
  remove(fd: number): void;
  /**
   * Waits up to `timeoutMs` (-1 for ever). Writes a pair of token and epoll events (EPOLLIN 1, EPOLLERR 8, EPOLLHUP 16)
   * for each ready descriptor into `ready`, which has room for one at least; returns the number of pairs. A wake-up
   * is no pair.
   */
  wait(timeoutMs: number, ready: Int32Array): number;
  close(): void;
}

/** Calls back on this thread's event loop when a descriptor is readable; level-triggered. */
export interface Watcher {
  close(): void;
}

export interface Addon {
  createRegion(bytes: number): Region;
  /**
   * `wakeFd`: an eventfd that stays the caller's and outlives the poller, and that he signals when the thread is to end,
   * too; absent, the poller has one of its own, and wakes up now and then to see whether its thread was terminated.
   */
  createPoller(wakeFd?: number): Poller;

  openPacket(options: PacketOptions): number;
  /**
   * From now on sendPacket() sends what is for this packet socket, one of ours, by an AF_XDP socket of the same device, which
   * is closed with it. Frames that are longer than a slot are refused as those above the MTU, with EMSGSIZE. Throws, and leaves
   * it as it was: EPERM without CAP_NET_RAW, ENOBUFS when so much memory may not be pinned (RLIMIT_MEMLOCK), EBUSY when
   * somebody has the queue, EINVAL when the device has no such queue, EAFNOSUPPORT when the kernel has no AF_XDP.
   */
  sendByXsk(fd: number, options: XskOptions): void;
  /** The fanout group that a packet socket is in. */
  fanoutGroup(fd: number): number;
  openUdp(options: UdpOptions): number;
  /**
   * Opens `tuns` (0 to 128) queues and an rtnetlink socket in the network namespace at a path ("/run/netns/core"), on another
   * thread. Rejects with a NativeError: EPERM without CAP_SYS_ADMIN.
   */
  openNamespace(options: { readonly netnsPath: string; readonly tuns: number }): Promise<NamespaceFiles>;
  /**
   * Has the same opened in the named namespace by the helper that listens at `socketPath`. Rejects with a NativeError: of
   * `connect` where nobody listens, ECONNRESET when he does not serve our user, ETIMEDOUT after some seconds; its syscall is
   * "unit helper" where he refuses.
   */
  askUnitHelper(options: {
    readonly socketPath: string;
    readonly netns: string;
    readonly tuns: number;
  }): Promise<NamespaceFiles>;
  /**
   * Creates the device (down, unaddressed) in its namespace and returns one descriptor per queue. `segmentsUdp`: with
   * `segments`, UDP is among what is left to us, and the kernel takes UDP super-segments of ours. `refusal`: why the kernel
   * does not let us steer by an address (it takes CAP_BPF); the device has one queue then.
   */
  openTun(options: TunOptions): {
    readonly fds: readonly number[];
    readonly ifindex: number;
    readonly segmentsUdp: boolean;
    readonly refusal?: string;
  };
  /** TUNSETQUEUE: detach (false) and re-attach (true) one queue of a multiqueue device. Needs no privilege. */
  setTunQueue(fd: number, attached: boolean): void;
  /**
   * An AF_NETLINK socket, in another namespace if a path is given, joined to `groups` (a bit mask). `protocol`:
   * NETLINK_ROUTE when absent.
   */
  openNetlink(options: {
    readonly netnsPath?: string;
    readonly groups: number;
    readonly protocol?: number;
  }): number;
  /** An eventfd, non-blocking. */
  openEvent(): number;
  close(fd: number): void;
  /**
   * Closes a descriptor on another thread and signals `done`, an eventfd that stays open until then. The last
   * close of a TUN device takes the kernel some 20 ms, in which nobody should have to wait.
   */
  closeAside(fd: number, done: number): void;

  /** Adds one to an eventfd; cheap, callable from any thread. */
  signal(eventFd: number): void;
  /** Reads an eventfd back to zero. */
  drain(eventFd: number): void;
  watch(fd: number, callback: () => void): Watcher;

  /** Control-plane I/O, one frame at a time. Sends return 0 or a positive errno. */
  sendFrame(fd: number, frame: Uint8Array): number;
  sendDatagram(fd: number, address: Uint8Array, datagram: Uint8Array): number;
  /** One frame from a packet socket without a ring (ringSlots 0) or a netlink socket; undefined when there is none. VLAN tags put back. */
  receiveFrame(fd: number): Uint8Array | undefined;
  /** What a packet or UDP socket had no room for since it was opened, modulo 2³²; throws a NativeError when it is no socket. */
  socketDrops(fd: number): number;
  /** The oldest reports on a socket's error queue, at most 64: a level-triggered poll brings the rest. */
  readErrors(fd: number): readonly SocketError[];
  /** Sends `request` on a netlink socket and waits (bounded by 1 s) for all parts of the answer to its sequence number. */
  netlinkTransact(fd: number, request: Uint8Array): Uint8Array[];

  /** sd_notify(3) without libsystemd: false when NOTIFY_SOCKET is not set. */
  notify(state: string): boolean;
}
