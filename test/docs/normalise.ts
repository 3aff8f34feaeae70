/** Output without what is another thing each time: times, ids, MAC addresses, versions, measured quantities. */

type Rule = readonly [RegExp, string];

/** In this order: what is in a longer one is not looked for by itself. */
const RULES: readonly Rule[] = [
  [/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, "<mac>"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, "<time>"],
  [/\b\d{4}-\d\d-\d\d\b/g, "<date>"],
  [/\b\d\d:\d\d:\d\d(\.\d+)?(?![:\d])/g, "<time>"],
  [/"time":\d+/g, '"time":<time>'],
  [/\b0x[0-9a-f]{4,}\b/g, "<hex>"],
  [/(http:\/\/127\.0\.0\.1):\d+\/#token=\S+/g, "$1:<port>/#token=<token>"],
  [/\/tmp\/lacewing-lab-[\w-]+/g, "/tmp/lacewing-lab-<id>"],
  [/\b\d+(\.\d+)? (bit|kbit|Mbit|Gbit)\/s\b/g, "<rate>"],
  [/\b(\d+d\d\dh|\d+h\d\dm|\d+m\d\ds|\d+(\.\d+)? ?(ms|s|MiB|M))\b/g, "<quantity>"],
  [/\b\d+(?= files and directories)/g, "<count>"],
  [/\b\d+(\.\d+)? ?%/g, "<percent>"],
  [/(?<![\d.])\d+\.\d+\.\d+(-\w+)?(?![\d.]|\.\d)/g, "<version>"],
  // tshark's number and time of a frame, which other one belongs to it, and how much a capture holds
  [/^\s*\d+\s+\d+\.\d{6,9}(?=\s)/g, "<frame>"],
  [/\((request|reply) in \d+\)/g, "($1 in <frame>)"],
  [/\bseq=\d+\/\d+/g, "seq=<number>"],
  [/\b[\d.]+k?B(?= to )/g, "<octets>"],
  // ids that begin at random, by the words before them
  [/\b(PPPoE session|, session|session|tunnel|Tunnel|ID|id|Ns|Nr|pid|PID:?|Number) \d+\b/g, "$1 <id>"],
  [/(?<![\d.])\d{2,5}\/\d{2,5}\b/g, "<id>"],
  [/\bs\d+\b/g, "<session>"],
  [/(?<=<mac>) \d+\b/g, " <id>"],
  [/(^| )\d+(?=: (calling|up with|down)\b)/g, "$1<id>"],
  [/"(octets|frames)(In|Out)":\d+/g, '"$1$2":<number>'],
  // values of one session or tunnel, by their names
  [
    /\b((?:pppoe|local|remote)\w*Id|\w+ForSeconds|roundTripMs|(?:octets|frames)(?:In|Out)) +[\d.]+$/g,
    "$1 <number>",
  ],
];

/** Of lines in which blanks count as one. */
const COLUMNS: readonly Rule[] = [
  // octets in and out at the end of a session's or user's row
  [/(?<=<quantity>|<time>) [\d.]+[kMG]? [\d.]+[kMG]?$/g, " <octets> <octets>"],
  // PADI, PADO and PADS behind an interface's load: who hears nothing for a while calls again
  [/(?<=<percent>) \d+ \d+ \d+(?= )/g, " <count> <count> <count>"],
];

/** Blanks count as one: how wide a column is depends on what is in it. */
export function normalised(line: string): string {
  const once = replaced(line, RULES).replaceAll(/\s+/g, " ").trim();
  return replaced(once, COLUMNS);
}

function replaced(line: string, rules: readonly Rule[]): string {
  return rules.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), line);
}
