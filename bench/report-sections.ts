/** Figures that belong together, and what must be known to read them. */
export interface Section {
  readonly title: string;
  readonly holds: (name: string) => boolean;
  readonly text: string;
}

export const SECTIONS: readonly Section[] = [
  {
    title: "Frames through a LAC: the loop",
    holds: (name) => /^(loop\/lac|ceiling\/loop-io)\/(up|down|both)\/(\d+B|mix)(\/processor)?$/.test(name),
    text: `A size is that of the IP packet inside PPP: on the access side the Ethernet frame has 22 octets more (Ethernet, PPPoE, PPP),
on the LNS's side 54 (Ethernet, IPv4, UDP, L2TP with Length, FF03, PPP). "both" is the sum of both directions; "mix" is 64, 594 and
1,492 octets, 7:4:1, over 1,000 sessions and eight LNSes, everything else 100 sessions of one LNS. "ceiling/loop-io" is a C++
program that does the loop's system calls and touches no more octets than it must. The generator has a processor to itself,
on which the kernel also receives; the LAC, or what is in its place, has the others.`,
  },
  {
    title: "Frames through a LAC: the XDP engine",
    holds: (name) => /^(xdp\/lac|ceiling\/xdp-redirect)\//.test(name) && !name.includes("/sessions-"),
    text: `Generator, engine and sink work on one processor here, one frame after another. "ceiling/xdp-redirect" is a program that sends
the same frames on as they are, with the same generator and sink. "no-checksum": without UDP checksums towards LNSes. "ipv6": with LNSes that are addressed by
IPv6, so that L2TP frames are 20 octets longer and cannot do without a checksum, which the sink looks for in every one.`,
  },
  {
    title: "Packets through an LNS and a PTA, beside l2tpns",
    holds: (name) => /^(loop|peer\/l2tpns)\/(lns|pta)\/(up|down)\//.test(name),
    text: `Packets of 128 octets between 100 sessions and a host behind the gateway, through one shared TUN device and the kernel's
routing: L2TP sessions in one tunnel ("lns"), and PPPoE sessions ("pta"). "up" is what subscribers send. With as many on the way as
each carries with at most 0.1 % loss.`,
  },
  {
    title: "Beside l2tpns",
    holds: (name) => name.startsWith("peer/l2tpns/") || name.includes("/beside-l2tpns"),
    text: `Debian's l2tpns does the same work for the same frames in turns with the gateway, with 20 sessions, and with as many frames
on the way as it carries with at most 0.1 % loss. "ceiling/loop-io" is the program that does the loop's system calls and nothing
besides: its ratio to l2tpns bounds ours. Down, we send many frames with one call by AF_XDP, and l2tpns each with a call of its own; both
pay for the receiver's softirq, which veth runs in the sender's time. Up, the kernel cuts datagrams for us, 64 with one send.`,
  },
  {
    title: "Beside the kernel's own bridge, emulated",
    holds: (name) => name.startsWith("peer/kernel-bridge/") || name.startsWith("emulated/"),
    text: `In a virtual machine with Debian's kernel 6.1 on an emulated processor, since the kernel here may have no PPP: bridges by
PPPIOCBRIDGECHAN, and those of an engine without a gateway above it, for the same 20 sessions, with the same generator and in
turns. Only ratios mean something, and JavaScript suffers more from emulation than what the kernel does.`,
  },
  {
    title: "TCP through who terminates PPPoE sessions",
    holds: (name) => name.includes("/pta/tcp/"),
    text: `One connection of the kernel's TCP between a subscriber's device and a host behind the gateway. \`lacewing dial\` makes the
subscriber's device and shares the processors with the gateway: what it costs is in both figures, and makes their ratio smaller
than that of the gateways.`,
  },
  {
    title: "Rate against the number of sessions",
    holds: (name) => name.includes("/sessions-"),
    text: `All sessions are there, and traffic goes through so many of them.`,
  },
  {
    title: "Latency",
    holds: (name) => name.startsWith("latency/"),
    text: `From the generator's writing to the sink's reading, at half of the rate that the LAC carries in a closed loop; the
bare system calls get the same load. The generator hands frames over in turns of a few microseconds; what one of its
own pauses kept back leaves at no more than twice the rate. The generator and the kernel's receiving in the LAC have one processor,
the LAC, or what is in its place, and the kernel's receiving at the far end the other. So none is free on a machine with two: with
"free-core", all of them come before every other process (SCHED_FIFO), which is what a core of their own would give them.
A run that loses more than 0.1 % is made again.`,
  },
  {
    title: "At a fixed rate",
    holds: (name) => name.includes("/paced-"),
    text: `100,000 frames a second in each direction at once, whatever comes out.`,
  },
  {
    title: "Changes under traffic",
    holds: (name) => name.startsWith("changes/"),
    text: `An engine alone, without a gateway above it. "2000-bridges": while 2,000 bridges a second are made and undone between other
channels, what goes through 1,000 bridges in a closed loop; against the same in slices of a tenth of a second in between, in
which none are ("none"). "made" counts those that were. "neighbour", "route": the LNS of 60,000 sessions is reached by another
link-layer address, or by another device, while each of them sends: how long after the \`ip\` command was started the last frame
was sent that still went the old way, or was lost.`,
  },
  {
    title: "The API",
    holds: (name) => name.startsWith("api/"),
    text: `"half-load": a LAC with 16,000 sessions that first forwards, at half of the rate that it carries in a closed loop, and then sets
1,500 sessions up, at half of the rate that it sustains, while a crowd wants something of its API: Prometheus, every second; three
people with the page before them; lists of sessions and users every second or two, as \`lacewing show --watch\` asks for them; a
thousand who listen to events, of whom as many may as may, and the others try again; and a hundred connections a second of those who
may ask nothing: malformed requests, paths with tricks, huge bodies, no token, a wrong one, an octet now and then, or none at all.
In turns with that, the same crowd turns to a bare server beside the LAC, which answers as many octets from memory, takes and refuses
as many connections, and tells as many octets of events ("bare-server"): so the crowd's own work, which real ones do elsewhere, and
the kernel's for their connections are in both. Crowd, bare server and LAC share the processors that the generator of frames leaves.
What is delivered and set up, in a time and of what was offered, is compared; who waits how long for it is told besides. "answers":
what those wait who may ask.

"64k-sessions": with so many in a LAC in which nothing else happens, how long it takes to answer, and how long the control plane
is held up at the most by all of these together ("held-up"); with garbage collection.`,
  },
  {
    title: "Very many sessions",
    holds: (name) => name.startsWith("scale/"),
    text: `One LAC with so many PPPoE sessions on two access interfaces, in tunnels to eight LNSes; the diallers and the LNSes share its
processors. "counted" and "listed": what \`lacewing show status\` and \`show sessions\` ask for, without printing. "torn-down":
the LAC is told to stop, and tells all subscribers and LNSes. One run.`,
  },
  {
    title: "Set-ups, memory, idle time",
    holds: () => true,
    text: `- "setup/lac": 10,000 PPPoE sessions by \`lacewing dial\`, from the first PADI to an open IPCP, by way of LCP, CHAP, a call to
  the LNS and proxy AVPs; 256 of them are coming up at any time. The dialler, a new process each time, and the LNS share
  the LAC's processors. "setup/lns": as many L2TP calls to an LNS that negotiates LCP, CHAP and IPCP itself.
  "500-per-second": 1,500 at that rate, which leaves the LAC time.
- "storm": 10,000 at once, with the retries of PPPoE and PPP, until the last is online; "versus-sustained" is against as many
  256 at a time, just before. Nobody may fail. "dead-lns": their LNSes are two, of which one is dead, and the LAC does not
  know it yet; of this there is one run.
- "memory": what the resident set grows by with each session, after garbage collection; "heap" is JavaScript's part of it.
  The data plane's tables, one mapping that is made at the start for all sessions that may be, are not in it: "tables" is what
  each session makes resident of them. "idle": all threads of a gateway with 64,000 sessions in which nobody
  says anything, for as long as it takes until all have: HELLO every 10 s in the LAC role, an LCP echo every 30 s in each session in the
  LNS role. One run.`,
  },
];

/** `seconds`: that everything took. */
export function methodText(seconds: number): string {
  return `## How it is measured

- Network namespaces, joined by veth pairs: subscribers, LAC, LNSes; whoever the gateway is compared with has the same again.
  The LAC is \`lacewing run\` with no more in its configuration than it needs; UDP checksums are on, as by default.
- The generator is an eBPF program that BPF_PROG_TEST_RUN runs over live frames, and the sink an XDP program at the far end
  (bench/xdp/). The generator keeps to its window or its rate by itself. veth has its receive coalescing (GRO) on.
- Every packet carries its session, its number in it and the time, each with its complement; headers, lengths and session are
  compared for every frame, and all octets for one packet in sixteen of a session. A run in which a frame was damaged, came
  twice, came out of order or on another session is no result but a failure, and says which octet of the first was wrong.
- Frames/s: in a closed loop with 1,024 frames on the way in each direction; what was delivered while the generator ran,
  over that time. A run that loses more than 0.1 % is made again, and the third time a failure. "At least": the generator hardly ever had to wait.
- Runs of what is compared follow each other; a ratio is the median of those of such pairs. Medians of all runs, with the
  least and the most; one run before counts for nothing.
- All of it took ${Math.floor(seconds / 60)} min ${seconds % 60} s; \`bench/results/full.json\` has the time of each scene.
- Processor time is that of all threads of the LAC's process, the kernel's work in its system calls included.`;
}
