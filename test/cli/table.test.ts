import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { counted, duration } from "../../src/base/words.ts";
import { DROP_REASONS } from "../../src/channel/dataplane.ts";
import { quantity, wrapped } from "../../src/cli/numbers-text.ts";
import { paintFor } from "../../src/cli/paint.ts";
import {
  CHANNEL_COLUMNS,
  COUNTER_COLUMNS,
  LNS_COLUMNS,
  PAIR_COLUMNS,
  SESSION_COLUMNS,
  TUNNEL_COLUMNS,
} from "../../src/cli/show-tables.ts";
import { formatTable } from "../../src/cli/table.ts";
import { meaningOf } from "../../src/gateway/counter-meanings.ts";
import { L2TP_DISCARD_REASONS } from "../../src/l2tp/state.ts";
import {
  lacSession,
  sampleChannels,
  sampleOperations,
  sampleStatus,
  sampleTunnels,
} from "../control/sample-operations.ts";

interface Row {
  readonly name: string | null;
  readonly size: number;
}

const columns = [
  { title: "NAME", value: (row: Row) => row.name },
  { title: "SIZE", value: (row: Row) => row.size, align: "right" as const },
];

describe("a table", () => {
  it("has columns as wide as what is in them", () => {
    const rows = [
      { name: "a", size: 1 },
      { name: "long name", size: 123_456 },
      { name: null, size: 0 },
    ];
    expect(formatTable(columns, rows)).toBe(
      ["NAME         SIZE", "a               1", "long name  123456", "-               0", ""].join("\n"),
    );
  });

  it("has its titles also when it is empty", () => {
    expect(formatTable(columns, [])).toBe("NAME  SIZE\n");
  });

  it.each([20, 80, 120])("fits a terminal of %i characters", (width) => {
    const session = { ...lacSession, user: `${"very-".repeat(20)}long@isp.example` };
    const texts = [
      formatTable(SESSION_COLUMNS, [session], { width }),
      formatTable(TUNNEL_COLUMNS, sampleTunnels, { width }),
      formatTable(LNS_COLUMNS, sampleOperations().lns(), { width }),
    ];
    for (const line of texts.join("").split("\n")) expect(line.length).toBeLessThanOrEqual(width);
  });

  it("has its widest columns cut short where it does not fit", () => {
    const rows = [{ name: "a long name", size: 1_234_567 }];
    expect(formatTable(columns, rows, { width: 16 })).toBe("NAME        SIZE\na long…  1234567\n");
  });

  it("leaves out what can be spared where there is no room, says so, and cuts no state short", () => {
    const text = formatTable(LNS_COLUMNS, sampleOperations().lns(), { width: 40 });
    expect(text.split("\n")).toEqual([
      "GROUP      LNS   STATE       LOCKED-FOR",
      "wholesale  lns1  up                   -",
      "wholesale  lns2  locked-out       3m32s",
      "not shown for want of width: PREFERENCE,",
      "WEIGHT, TUNNELS, SESSIONS, REASON",
      "",
    ]);
    expect(formatTable(LNS_COLUMNS, [], { width: 80 }).split("\n")).toHaveLength(2);
    expect(formatTable(TUNNEL_COLUMNS, sampleTunnels, { width: 80 })).toContain(
      "\nnot shown for want of width: LOCAL, RESENT\n",
    );
  });

  it("is coloured on a terminal, and no wider for it", () => {
    const paint = paintFor({ isTTY: true }, {});
    const text = formatTable(SESSION_COLUMNS, [lacSession], { width: 40, paint });
    expect(text).toContain("\x1b[1mSESSION\x1b[0m");
    expect(text).toContain("\x1b[32mopen \x1b[0m");
    for (const line of text.split("\n"))
      expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(40);
  });

  it.each([
    [{ isTTY: false }, {}],
    [{ isTTY: true }, { NO_COLOR: "1" }],
    [{ isTTY: true }, { TERM: "dumb" }],
  ])("is not coloured elsewhere, or where that is not wanted: %j %j", (output, env) => {
    expect(paintFor(output, env)("bad", "text")).toBe("text");
  });

  it("shows control characters as what they are not", () => {
    expect(formatTable(columns, [{ name: "a\x1b[2J\nb\u202e", size: 1 }])).toContain(
      "a\uFFFD[2J\uFFFDb\uFFFD",
    );
  });
});

describe("what is shown", () => {
  it("of sessions is where they come from and go to", () => {
    expect(formatTable(SESSION_COLUMNS, [lacSession]).split("\n")[1]).toBe(
      "s1       lac   open   alice@isp.example  acc0.100.7 02:00:5e:10:00:01 4711  lns1 11/13  -        1h02m  1.23k  56.8M",
    );
  });

  it("of tunnels is both ends and how long they are up", () => {
    expect(formatTable(TUNNEL_COLUMNS, sampleTunnels).split("\n")[1]?.trim()).toBe(
      "11/12  lns1  lns1.isp.example  established  us         2001:db8::1  [2001:db8::2]:1701         1  59s  12.5ms       2",
    );
  });

  it("of channels, counters and the status is every one", () => {
    expect(formatTable(LNS_COLUMNS, sampleOperations().lns()).split("\n").slice(1, 3)).toEqual([
      "wholesale  lns1           0       1  up                1         1           -  -",
      "wholesale  lns2           1       1  locked-out        0         0       3m32s  SCCRQ sent 3 times, no SCCRP, nothing ever came back",
    ]);
    expect(formatTable(CHANNEL_COLUMNS, sampleChannels).trimEnd().split("\n")).toHaveLength(3);
    expect(formatTable(COUNTER_COLUMNS, Object.entries(sampleOperations().counters()))).toMatch(
      /^sessions\.opened +3 +sessions that began, also those that did not come up$/m,
    );
    expect(formatTable(PAIR_COLUMNS, Object.entries(sampleStatus))).toMatch(/^name +lac1$/m);
  });

  it("of counters says in words what each counts", () => {
    const told = (name: string) => formatTable(COUNTER_COLUMNS, [[name, 1]]).split("\n")[1];
    expect(told("drops.policed")).toBe(
      "drops.policed      1  control frames beyond the rate that is let through",
    );
    expect(told("l2tp.discarded.half-open")).toContain("L2TP control passed over: tunnels that somebody");
    expect(told("l2tp.retransmitted")).toContain("had to send again");
    expect(told("lns.isp.example.calls")).toContain("calls that were placed with this LNS");
    expect(told("pppoe.eth1.100.padiReceived")).toContain("  PADIs that came");
    expect(told("pppoe.eth1.100.discarded.no-cookie")).toContain("passed over: PADRs without our AC-Cookie");
    expect(told("lns.a.constructor")).toBe("lns.a.constructor      1  -");
    for (const reason of DROP_REASONS) expect(meaningOf(`drops.${reason}`), reason).toBeDefined();
    for (const reason of L2TP_DISCARD_REASONS)
      expect(meaningOf(`l2tp.discarded.${reason}`), reason).toBeDefined();
  });

  it("of long texts is broken at blanks", () => {
    expect(wrapped("one two three", 8, "  ")).toBe("  one\n  two\n  three\n");
    expect(wrapped("one two three", 80)).toBe("one two three\n");
    expect([0, 1, 2].map((count) => counted(count, "session"))).toEqual([
      "0 sessions",
      "1 session",
      "2 sessions",
    ]);
  });

  it("of time and octets is short", () => {
    expect([0, 59.9, 60, 3599, 3600, 86_399, 86_400, 1e7].map(duration)).toEqual([
      "0s",
      "59s",
      "1m00s",
      "59m59s",
      "1h00m",
      "23h59m",
      "1d00h",
      "115d17h",
    ]);
    expect([0, 999, 1000, 999_499, 999_500, 12_345_678, 1e15].map(quantity)).toEqual([
      "0",
      "999",
      "1.00k",
      "999k",
      "1.00M",
      "12.3M",
      "1.00P",
    ]);
  });
});
