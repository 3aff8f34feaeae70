import { meets, type Result } from "./results.ts";
import { formatted } from "./statistics.ts";

/** Figures of which the same is asked, or nothing. */
interface Subject {
  readonly what: string;
  readonly holds: (name: string) => boolean;
  /** Asked of the ratio to another figure, or of the figure itself. */
  readonly asked: "ratio" | "value";
  /** What keeps those away that miss what is asked. */
  readonly bound?: (median: Lookup) => string;
}

/** Of a figure that may not have been measured: what it is, or its ratio. */
interface Lookup {
  readonly value: (name: string) => string;
  readonly ratio: (name: string) => string;
}

const SUBJECTS: readonly Subject[] = [
  {
    what: "the loop as LAC, of what its system calls allow",
    holds: (name) => /^loop\/lac\/(up|down|both)\/(\d+B|mix)$/.test(name),
    asked: "ratio",
    bound:
      () => `Up, 64 datagrams leave with one send, and the kernel cuts them. Down, frames leave by AF_XDP in copy mode, 32 with
  a call at most; on veth the receiver's softirq, some half of what a send costs, runs in the sender's time.`,
  },
  {
    what: "the loop as LAC, of Debian's l2tpns",
    holds: (name) => /^loop\/lac\/\w+\/\d+B\/beside-l2tpns$/.test(name),
    asked: "ratio",
    bound: ({
      ratio,
    }) => `In the same runs the bare system calls reach ${ratio("ceiling/loop-io/up/128B/beside-l2tpns")} times l2tpns up and
  ${ratio("ceiling/loop-io/down/128B/beside-l2tpns")} down: who forwards by these calls gets no further.`,
  },
  {
    what: "LNS and PTA in 128-byte packets, of l2tpns",
    holds: (name) => /^loop\/(lns|pta)\/\w+\/\d+B\/beside-l2tpns$/.test(name),
    asked: "ratio",
    bound:
      () => `Up, each packet that cannot be joined with others is a write to the TUN device, and that write carries the host's
  routing and sending with it; l2tpns pays for the same.`,
  },
  {
    what: "TCP through a PTA, of l2tpns",
    holds: (name) => /^loop\/pta\/tcp\//.test(name),
    asked: "ratio",
    bound:
      () => `The subscriber's device, which \`lacewing dial\` makes, and both ends of the connection share two processors with the
  gateway, the same for both gateways: the ratio is less than that of the gateways alone.`,
  },
  {
    what: "the XDP engine, of the kernel's own bridge of PPP channels, emulated",
    holds: (name) => /^emulated\/xdp\//.test(name),
    asked: "ratio",
  },
  {
    what: "the loop, of the kernel's own bridge of PPP channels, emulated",
    holds: (name) => /^emulated\/loop\//.test(name),
    asked: "ratio",
  },
  {
    what: "the loop with many sessions, of itself with one",
    holds: (name) => /^loop\/lac\/both\/\d+B\/sessions-\d+$/.test(name),
    asked: "ratio",
  },
  {
    what: "the XDP engine, of a bare redirect",
    holds: (name) => /^xdp\/lac\/\w+\/(\d+B|mix)$/.test(name),
    asked: "ratio",
    bound: () => PROGRAM,
  },
  {
    what: "the XDP engine without UDP checksums, of a bare redirect",
    holds: (name) => /^xdp\/lac\/\w+\/(\d+B|mix)\/no-checksum$/.test(name),
    asked: "ratio",
    bound: () => PROGRAM,
  },
  {
    what: "the XDP engine with many sessions, of itself with one",
    holds: (name) => /^xdp\/lac\/both\/\d+B\/sessions-\d+$/.test(name),
    asked: "ratio",
    bound: () =>
      "With many sessions each frame waits for its channel's cache line, which with one is always there.",
  },
  {
    what: "p99 of latency among other processes, of the bare system calls'",
    holds: (name) => /^latency\/loop\/lac\/\w+\/\d+B\/p99$/.test(name),
    asked: "ratio",
    bound: ({
      value,
    }) => `A moment in which another process has the processor of the worker or of the generator delays every frame
  in it, and 1 % of a run is 3 ms. With a free core, p99 is ${value("latency/loop/lac/up/128B/free-core/p99")} up and
  ${value("latency/loop/lac/down/128B/free-core/p99")} down.`,
  },
  {
    what: "p99 of latency with a free core, of the bare system calls'",
    holds: (name) => /^latency\/loop\/lac\/\w+\/\d+B\/free-core\/p99$/.test(name),
    asked: "ratio",
  },
  {
    what: "p99 of latency with a free core",
    holds: (name) => /^latency\/loop\/lac\/\w+\/\d+B\/free-core\/p99$/.test(name),
    asked: "value",
  },
  {
    what: "traffic while 2,000 bridges a second are made and undone, of the same without",
    holds: (name) => /^changes\/\w+\/lac\/both\/\d+B\/\d+-bridges$/.test(name),
    asked: "ratio",
  },
  {
    what: "frames and set-ups at half load while a crowd asks the API, of the same while it asks a bare server",
    holds: (name) => /^api\/half-load\/(forwarded|set-ups)$/.test(name),
    asked: "ratio",
  },
  {
    what: "a scrape of 64,000 sessions",
    holds: (name) => /^api\/\d+k-sessions\/scrape$/.test(name),
    asked: "value",
  },
  {
    what: "health and the first page of lists with 64,000 sessions",
    holds: (name) => /^api\/\d+k-sessions\/(first-page|users|health)/.test(name),
    asked: "value",
  },
  {
    what: "what scrapes and lists of 64,000 sessions hold the control plane up by",
    holds: (name) => /^api\/\d+k-sessions\/held-up$/.test(name),
    asked: "value",
  },
  {
    what: "an LNS of 60,000 sessions at another address or device",
    holds: (name) => /^changes\/xdp\/lac\/(neighbour|route)\//.test(name),
    asked: "value",
  },
];

/** Measured by taking parts of the program away, one at a time. */
const PROGRAM = `A run of the program takes 39 ns in all. Parse and find take 3 of them, to decide 24, bpf_xdp_adjust_head 13, headers and
  counters 13, the checksum 8; they overlap. Live, that is 10 to 12 % of a frame's time, a quarter of it spent waiting for the
  channel's cache line.`;

const TRIED = `Frames that leave by AF_XDP cost a quarter less processor time each than by a packet socket, so the loop sends by it where
it can. Receiving by it was not taken: it needs a program of ours on the interface, and takes every frame of a queue, the host's own
too. For packet sockets, TX_RING, other sizes of batches and going without PACKET_QDISC_BYPASS brought nothing.`;

/** What was asked and what was reached, and what bounds where a goal was missed. */
export function findings(results: readonly Result[]): readonly string[] {
  const judged = SUBJECTS.map((subject) => ({ subject, figures: judgedOf(subject, results) })).filter(
    ({ figures }) => figures.length > 0,
  );
  if (judged.length === 0) return [];
  const lookup = lookupIn(results);
  const bounds = judged
    .filter(({ figures }) => figures.some(isMissed))
    .flatMap(({ subject: { what, bound } }) => (bound === undefined ? [] : [{ what, text: bound(lookup) }]));
  return [
    "## What was asked, and what was reached",
    "",
    "| figures | medians | floor | goal |",
    "|---|---|---|---|",
    ...judged.map(({ subject, figures }) => row(subject, figures)),
    "",
    ...(bounds.length === 0 ? [] : ["What bounds those that miss what was asked:", ""]),
    ...bounds.map(({ what, text }) => `- ${what}: ${text}`),
    ...(bounds.length === 0 ? [] : [""]),
    TRIED,
    "",
  ];
}

/** One figure with what is asked of it. */
interface Judged {
  readonly value: number;
  readonly unit: string;
  readonly better: Result["better"];
  readonly floor?: number;
  readonly goal?: number;
}

function judgedOf({ holds, asked }: Subject, results: readonly Result[]): readonly Judged[] {
  return results
    .filter(({ name }) => holds(name))
    .flatMap(({ better, value, unit, floor, goal, versus }): readonly Judged[] => {
      const judged =
        asked === "ratio"
          ? versus && { ...versus, value: versus.ratio, unit: "", better }
          : {
              value,
              unit: ` ${unit}`,
              better,
              ...(floor !== undefined && { floor }),
              ...(goal !== undefined && { goal }),
            };
      return judged === undefined ? [] : [judged];
    });
}

function isMissed(figure: Judged): boolean {
  return met(figure, "goal") === false || met(figure, "floor") === false;
}

function met({ value, better, ...asked }: Judged, what: "floor" | "goal"): boolean | undefined {
  return meets(value, asked[what], better);
}

function row({ what }: Subject, figures: readonly Judged[]): string {
  const values = figures.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)].map(formatted);
  const range = least === most ? least : `${least} – ${most}`;
  const cells = [what, `${range}${figures[0]!.unit}`, tally(figures, "floor"), tally(figures, "goal")];
  return `| ${cells.join(" | ")} |`;
}

function tally(figures: readonly Judged[], what: "floor" | "goal"): string {
  const asked = figures.filter((figure) => figure[what] !== undefined);
  const [first] = asked;
  if (first === undefined) return "";
  const bound = first.better === "higher" ? "≥" : "≤";
  const count = asked.filter((figure) => met(figure, what)).length;
  return `${bound} ${formatted(first[what]!)}${first.unit}: ${count === asked.length ? "met" : `**${count} of ${asked.length}**`}`;
}

function lookupIn(results: readonly Result[]): Lookup {
  const byName = new Map(results.map((result) => [result.name, result]));
  const unmeasured = "(not measured)";
  return {
    value: (name) => {
      const result = byName.get(name);
      return result === undefined ? unmeasured : `${formatted(result.value)} ${result.unit}`;
    },
    ratio: (name) => {
      const versus = byName.get(name)?.versus;
      return versus === undefined ? unmeasured : formatted(versus.ratio);
    },
  };
}
