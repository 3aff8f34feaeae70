import { chmodSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { SessionQuery } from "../../src/gateway/operations.ts";
import { lacSession, sampleOperations, sampleTunnels } from "../control/sample-operations.ts";
import { serve, temporaryFolder } from "../control/serve.ts";
import { FakeProcess } from "./fakes.ts";

/** Runs the command against a gateway of samples. */
async function run(
  argv: readonly string[],
  operations = sampleOperations(),
  more = {},
): Promise<FakeProcess> {
  const process = new FakeProcess(more);
  const code = await process.run(...argv, "--socket", await serve(operations));
  process.events.push(`code ${code}`);
  return process;
}

async function shown(...argv: string[]): Promise<string> {
  const process = await run(["show", ...argv]);
  expect(process.err).toBe("");
  expect(process.events).toEqual(["code 0"]);
  return process.out;
}

describe("show", () => {
  it("without a word tells how it is, what is wrong first", async () => {
    const text = await shown();
    expect(text).toMatch(
      /^lac1 {2}engine xdp {2}up 1h06m {2}pid 42\nacc0 \(native\), core0 \(generic\)\n\n ! LNS lns2 is/,
    );
    expect(text).toContain("lacewing lockout clear lns2");
    expect(text).toContain("Sessions  1  (open 1, lac 1)\n");
    expect(text).toMatch(/^INTERFACE +STATE/m);
    expect(text).toMatch(/^POOL +ADDRESSES.*\nlocal +253 +17/m);
    expect(text).toMatch(/^wrong-source +12 +frames of a session/m);
  });

  it("without a word says that all is well when it is", async () => {
    const operations = sampleOperations();
    const health = () => ({ ...operations.health(), problems: [], drops: [] });
    expect((await run(["show"], sampleOperations({ health }))).out).toContain("\nAll is well.\n");
  });

  it.each([
    ["sessions", /^SESSION +ROLE.*\ns1 +lac +open +alice@isp\.example /],
    ["tunnels", /^TUNNEL +PEER.*\n *11\/12 +lns1 /],
    ["lns", /^GROUP +LNS.*\nwholesale +lns1 /],
    ["users", /^USER +SESSIONS.*\nalice@isp\.example +1 +1 +s1 /],
    ["interfaces", /^INTERFACE +STATE.*\nacc0 +open +1\.00Gbit\/s +1 +0 +0 +25% +5 +4 +3 +2\n$/],
    ["channels", /^CHANNEL +KIND.*\n +1 +pppoe +bridged +2 +s1 /],
    ["counters", /^NAME +VALUE +MEANING\ndrops\.truncated +0 +frames shorter/],
    ["drops", /^REASON +FRAMES +MEANING\nwrong-source +12 +frames/],
    ["workers", /^WORKER +ENGINE.*\n0 +loop +running +100 +7 +1 +policed 30, wrong-source 12\nprogram +xdp /],
    ["pools", /^POOL +ADDRESSES.*\nlocal +253 +17 +236 +6%\n$/],
    ["rates", /^KIND +NAME.*\nall +- +1 +1\.00k +8\.00M +1 +900\nport +acc0 .*\nlns +lns1 /],
    ["status", /^NAME +VALUE\nversion +1\.2\.3\n/],
    ["config", /^\{\n {2}"name": "lac1"\n\}\n$/],
  ])("prints %s", async (what, expected) => {
    expect(await shown(what)).toMatch(expected);
  });

  it("prints one session with its channels, and one tunnel", async () => {
    const session = await shown("session", "s1");
    expect(session).toMatch(/^origin\.mac +02:00:5e:10:00:01$/m);
    expect(session).toMatch(/^ +1 +pppoe +bridged/m);
    expect(await shown("tunnel", "11")).toMatch(/^remoteAddress +2001:db8::2$/m);
  });

  it("prints JSON", async () => {
    expect(JSON.parse(await shown("tunnels", "--json"))).toEqual(sampleTunnels);
    expect(JSON.parse(await shown("sessions", "--json"))).toEqual([lacSession]);
    expect(JSON.parse(await shown("--json"))).toMatchObject({ status: { name: "lac1" } });
  });

  it("passes filters and the order on", async () => {
    const operations = sampleOperations();
    const words =
      "--user a* --realm isp --lns lns1 --state open --role lac --interface acc0 --mac 02-00-00-00-00-01";
    const more = "--tunnel 11 --since 15m --sort -out --limit 7";
    await run(["show", "sessions", ...words.split(" "), ...more.split(" ")], operations);
    expect(operations.orders).toEqual([
      [
        "sessions",
        {
          user: "a*",
          realm: "isp",
          lns: "lns1",
          state: "open",
          role: "lac",
          interface: "acc0",
          mac: "02:00:00:00:00:01",
          tunnel: 11,
          since: expect.any(Number),
          sort: "out",
          descending: true,
          limit: 7,
        },
      ],
    ]);
  });

  it("shows the first hundred of many and says so; as many as are wanted; with --json all", async () => {
    const asked: SessionQuery[] = [];
    const many = sampleOperations({
      sessions: async (query) => {
        asked.push(query);
        const first = Number(query.cursor ?? 0);
        const count = Math.min(query.limit, 2500 - first);
        const next = first + count < 2500 ? String(first + count) : null;
        const sessions = Array.from({ length: count }, (_, i) => ({ ...lacSession, id: `s${first + i}` }));
        return { total: 3000, matched: 2500, sessions, next };
      },
    });
    const few = await run(["show", "sessions"], many);
    expect(few.out.split("\n")).toHaveLength(103);
    expect(few.out).toContain("\n100 rows of 2500; --limit 2500 shows all\n");
    expect(asked.map(({ limit }) => limit)).toEqual([100]);
    const some = await run(["show", "sessions", "--limit", "1200"], many);
    expect(some.out).toContain("\n1200 rows of 2500;");
    expect(asked.map(({ limit }) => limit)).toEqual([100, 1000, 200]);
    expect(JSON.parse((await run(["show", "sessions", "--json"], many)).out)).toHaveLength(2500);
    expect((await run(["show", "sessions", "--limit", "9999"], many)).out).not.toContain("shows all");
  });

  it.each([
    [["session"], "show session needs an id, as in: show session s12"],
    [["tunnel"], "show tunnel needs an id"],
    [["sessions", "s1"], "show sessions takes no id"],
    [["tunnels", "--user", "alice"], "--user goes with show sessions, show users, not with show tunnels"],
    [["--limit", "5"], "--limit goes with show sessions"],
    [["sessions", "--sort", "colour"], "Allowed choices are id, -id"],
  ])("ends with code 2 when the words do not go together: %j", async (words, text) => {
    const process = await run(["show", ...words]);
    expect(process.events).toEqual(["code 2"]);
    expect(process.err).toContain(text);
    expect(process.out).toBe("");
  });

  it("says what the gateway says when it cannot be", async () => {
    const process = await run(["show", "session", "s9"]);
    expect(process.events).toEqual(["code 1"]);
    expect(process.err).toBe("lacewing: there is no session s9\n");
  });

  it("says what to do when no gateway runs", async () => {
    const process = new FakeProcess();
    const path = join(temporaryFolder(), "none.sock");
    expect(await process.run("show", "--socket", path)).toBe(1);
    expect(process.err).toBe(
      `lacewing: ${path}: nobody listens; is the gateway running? (systemctl status lacewing; --socket PATH or LACEWING_SOCKET=PATH for another one)\n`,
    );
  });

  it("says what to do when it may not ask the gateway", async () => {
    const process = new FakeProcess();
    // nobody may connect to it; root may, so the test asks as somebody else where it can
    const path = await serve();
    chmodSync(path, 0);
    const isRoot = globalThis.process.getuid?.() === 0;
    if (isRoot) {
      // the folders are root's alone: who is not root comes no further than them
      globalThis.process.seteuid?.(65_534);
      onTestFinished(() => globalThis.process.seteuid?.(0));
    }
    expect(await process.run("show", "--socket", path)).toBe(1);
    expect(process.err).toMatch(/^lacewing: .*: permission denied; ask as root, or as a member of its group/);
  });

  it("says so when something else listens there", async () => {
    const path = join(temporaryFolder(), "else.sock");
    const server = createServer((socket) => socket.end("220 mail.example ESMTP\r\n"));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    const process = new FakeProcess();
    expect(await process.run("show", "--socket", path)).toBe(1);
    expect(process.err).toBe(
      `lacewing: ${path}: what listens there is no gateway; --socket PATH names the socket of one\n`,
    );
  });

  it("is coloured on a terminal only", async () => {
    let out = "";
    const stdout = { write: (text: string) => (out += text), isTTY: true, columns: 80 };
    await run(["show"], sampleOperations(), { stdout });
    expect(out).toContain("\x1b[33m !\x1b[0m LNS lns2");
    expect(await shown()).not.toContain("\x1b");
  });

  it("watches until it is told to stop", async () => {
    const process = new FakeProcess();
    const socket = await serve();
    const code = process.run("show", "lns", "--watch", "0.1", "--socket", socket);
    await vi.waitFor(() => expect(process.out.match(/GROUP/g)?.length).toBeGreaterThan(2));
    process.signals.emit("SIGINT", "SIGINT");
    expect(await code).toBe(0);
    expect(process.signals.eventNames()).toEqual([]);
  });

  it("watches for hours without a warning, and until its reader has gone", async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): unknown => warnings.push(name);
    process.on("warning", onWarning);
    const fake = new FakeProcess();
    const code = fake.run("show", "lns", "--watch", "0.1", "--socket", await serve());
    await vi.waitFor(() => expect(fake.out.match(/GROUP/g)?.length).toBeGreaterThan(12), 10_000);
    fake.octets.emit("error", new Error("EPIPE"));
    expect(await code).toBe(0);
    expect(warnings).toEqual([]);
    expect(fake.signals.eventNames()).toEqual([]);
    process.off("warning", onWarning);
  });
});
