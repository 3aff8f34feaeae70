import { barChart, lineChart } from "./charts.ts";
import { meets, type Result, type ResultFile } from "./results.ts";

/** A file of docs/, by its path in there. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** docs/performance.md and its pictures. */
export function performancePages(file: ResultFile): readonly Page[] {
  const pictures = picturesOf(file.results);
  return [{ path: "performance.md", text: performanceReport(file, pictures) }, ...pictures];
}

interface Picture extends Page {
  readonly title: string;
  /** Of the section that it belongs to. */
  readonly section: string;
}

/** Figures that belong together, and what must be known to read them. */
interface Section {
  readonly title: string;
  readonly holds: (name: string) => boolean;
  readonly text: string;
}

const SECTIONS: readonly Section[] = [
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
the same frames on as they are, with the same generator and sink. "no-checksum": without UDP checksums towards LNSes.`,
  },
  {
    title: "Packets through an LNS, beside l2tpns",
    holds: (name) => /^(loop|peer\/l2tpns)\/lns\/(up|down)\//.test(name),
    text: `Packets of 128 octets between 100 L2TP sessions in one tunnel and a host behind the LNS, in both cases through one shared
TUN device and the kernel's routing. "up" is what subscribers send. With as many on the way as each carries with at most 0.1 % loss.`,
  },
  {
    title: "Beside l2tpns",
    holds: (name) => name.startsWith("peer/l2tpns/") || name.includes("/beside-l2tpns"),
    text: `Debian's l2tpns does the same work for the same frames in turns with the gateway, with 20 sessions, and with as many frames
on the way as it carries with at most 0.1 % loss. "ceiling/loop-io" is the program that does the loop's system calls and nothing
besides: its ratio to l2tpns bounds ours. Down, each frame is a send of its own through a packet socket, which runs the
receiver's softirq in the sender's time on veth; l2tpns pays for the same. Up, the kernel cuts datagrams for us, 64 with one send.`,
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
own pauses kept back leaves at no more than twice the rate.`,
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
- "storm": 10,000 at once, with the retries of PPPoE and PPP, until the last is online; "versus-sustained" is against as many
  256 at a time, just before. Nobody may fail. "dead-lns": their LNSes are two, of which one is dead, and the LAC does not
  know it yet; of this there is one run.
- "memory": what the resident set grows by with each session, after garbage collection; "heap" is JavaScript's part of it.
  The data plane's tables, one mapping that is made at the start for all sessions that may be, are not in it: "tables" is what
  each session makes resident of them. "idle": all threads of a gateway with 64,000 sessions in which nobody
  says anything: HELLO every 10 s in the LAC role, an LCP echo every 30 s in each session in the LNS role. One run.`,
  },
];

const METHOD = `## How it is measured

- Network namespaces, joined by veth pairs: subscribers, LAC, LNSes; whoever the gateway is compared with has the same again.
  The LAC is \`lacewing run\` with no more in its configuration than it needs; UDP checksums are on, as by default.
- The generator is an eBPF program that BPF_PROG_TEST_RUN runs over live frames, and the sink an XDP program at the far end
  (bench/xdp/). The generator keeps to its window or its rate by itself. veth has its receive coalescing (GRO) on.
- Every packet carries its session, its number in it and the time, each with its complement; headers, lengths and session are
  compared for every frame, and all octets for one packet in sixteen of a session. A run in which a frame was damaged, came
  twice, came out of order or on another session is no result but a failure.
- Frames/s: in a closed loop with 1,024 frames on the way in each direction; what was delivered while the generator ran,
  over that time. A run that loses more than 0.1 % is made again, and the third time a failure. "At least": the generator hardly ever had to wait.
- Runs of what is compared follow each other; a ratio is the median of those of such pairs. Medians of all runs, with the
  least and the most; one run before counts for nothing.
- Processor time is that of all threads of the LAC's process, the kernel's work in its system calls included.`;

function performanceReport(file: ResultFile, pictures: readonly Picture[]): string {
  const left = new Set(file.results);
  const parts: string[] = [];
  for (const section of SECTIONS) {
    const own = [...left].filter(({ name }) => section.holds(name));
    for (const result of own) left.delete(result);
    if (own.length === 0) continue;
    parts.push(`## ${section.title}`, "", section.text, "");
    for (const picture of pictures.filter((each) => each.section === section.title))
      parts.push(`![${picture.title}](${picture.path})`, "");
    parts.push(...table(own), "");
  }
  return [
    "# Performance",
    "",
    "Generated by `npm run bench`; do not edit. The runs behind every figure are in `bench/results/full.json`.",
    "",
    ...circumstanceLines(file),
    "",
    ...parts,
    METHOD,
    "",
  ].join("\n");
}

function circumstanceLines(file: ResultFile): readonly string[] {
  return [
    `| machine | ${file.machine}, ${file.processors} processors, ${file.memoryGiB} GiB |`,
    "|---|---|",
    `| kernel | ${file.kernel} |`,
    `| Node.js | ${file.node} |`,
    `| commit | ${file.commit} |`,
    `| date | ${file.date.slice(0, 10)}; load average before the first run: ${file.loadBefore} |`,
    ...(file.leftOut ?? []).map((reason) => `| left out | ${reason} |`),
  ];
}

function table(results: readonly Result[]): readonly string[] {
  return [
    "| figure | median | min – max | of | ratio | asked |",
    "|---|--:|--:|---|--:|---|",
    ...results.map(row),
  ];
}

function row(result: Result): string {
  const { versus } = result;
  const bound = result.limitedBy === "generator" ? "at least " : "";
  const cells = [
    result.name,
    `${bound}${formatted(result.value)} ${result.unit}`,
    spread(result),
    versus?.name ?? "",
    versus === undefined ? "" : formatted(versus.ratio),
    [
      ...asked(result.value, result, ` ${result.unit}`),
      ...asked(versus?.ratio ?? 0, { ...result, ...none, ...versus }, ""),
    ].join("; "),
  ];
  return `| ${cells.join(" | ")} |`;
}

const none = { floor: undefined, goal: undefined };

interface Asked {
  readonly better: Result["better"];
  readonly floor?: number | undefined;
  readonly goal?: number | undefined;
}

function asked(value: number, { better, floor, goal }: Asked, unit: string): readonly string[] {
  const bound = better === "higher" ? "≥" : "≤";
  return Object.entries({ floor, goal }).flatMap(([what, limit]) => {
    const met = meets(value, limit, better);
    if (met === undefined) return [];
    return [`${what} ${bound} ${formatted(limit!)}${unit}: ${met ? "met" : "**missed**"}`];
  });
}

function spread({ min, max }: Result): string {
  return `${formatted(min)} – ${formatted(max)}`;
}

function formatted(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 6 });
}

/** Those for which there is something to draw. */
function picturesOf(results: readonly Result[]): readonly Picture[] {
  return [
    ...sizePicture(results, "loop/lac", "ceiling/loop-io", SECTIONS[0]!.title, "loop"),
    ...sizePicture(results, "xdp/lac", "ceiling/xdp-redirect", SECTIONS[1]!.title, "xdp"),
    ...sessionsPicture(results),
    ...latencyPicture(results),
  ];
}

const MILLION = 1e6;

function sizePicture(
  results: readonly Result[],
  own: string,
  ceiling: string,
  section: string,
  file: string,
): readonly Picture[] {
  const lines = [
    ...["up", "down", "both"].map((direction) => ({
      name: `${own}/${direction}`,
      prefix: `${own}/${direction}`,
    })),
    ...["", "/up", "/down", "/both"].map((path) => ({
      name: `${ceiling}${path}`,
      prefix: `${ceiling}${path}`,
    })),
  ].map(({ name, prefix }) => ({
    name,
    dashed: name.startsWith("ceiling"),
    points: bySize(results, prefix),
  }));
  const drawn = lines.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return [];
  const title = `Million frames a second against octets of the packets: ${own}`;
  const text = lineChart({
    title,
    xLabel: "octets",
    yLabel: "million frames/s",
    logarithmic: true,
    lines: drawn,
  });
  return [{ path: `pictures/rate-by-size-${file}.svg`, title, section, text }];
}

function bySize(
  results: readonly Result[],
  prefix: string,
): readonly { readonly x: number; readonly y: number }[] {
  return results.flatMap(({ name, value }) => {
    if (!name.startsWith(`${prefix}/`)) return [];
    const octets = /^(\d+)B(?:\/beside-xdp)?$/.exec(name.slice(prefix.length + 1))?.[1];
    return octets === undefined ? [] : [{ x: Number(octets), y: value / MILLION }];
  });
}

function sessionsPicture(results: readonly Result[]): readonly Picture[] {
  const lines = ["loop", "xdp"].flatMap((engine) => {
    const points = results.flatMap(({ name, value }) => {
      const count = name.startsWith(`${engine}/`) ? /\/sessions-(\d+)$/.exec(name)?.[1] : undefined;
      return count === undefined ? [] : [{ x: Number(count), y: value / MILLION }];
    });
    return points.length > 1 ? [{ name: engine, dashed: false, points }] : [];
  });
  if (lines.length === 0) return [];
  const title = "Million frames a second against the number of sessions that they belong to";
  const text = lineChart({ title, xLabel: "sessions", yLabel: "million frames/s", logarithmic: true, lines });
  return [
    { path: "pictures/rate-by-sessions.svg", title, section: "Rate against the number of sessions", text },
  ];
}

function latencyPicture(results: readonly Result[]): readonly Picture[] {
  const bars = results
    .filter(({ name }) => name.startsWith("latency/"))
    .map(({ name, value }) => ({ name: name.slice("latency/".length), value }));
  if (bars.length === 0) return [];
  const title = "Latency at half load, in microseconds";
  return [
    { path: "pictures/latency.svg", title, section: "Latency", text: barChart({ title, unit: "µs", bars }) },
  ];
}
