import { describe, expect, it } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { createLogger } from "../../src/cli/log.ts";

function logger(pretty: boolean, level: "debug" | "info" = "info") {
  const lines: string[] = [];
  return { lines, log: createLogger({ level, pretty, sink: { write: (text) => lines.push(text) } }) };
}

describe("the log", () => {
  it("is JSON, one line an event, with the level's name and the time", () => {
    const { lines, log } = logger(false);
    log.info({ session: "s1", user: "alice", sessions: 3 }, "session opened");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\}\n$/);
    const { time, ...event } = JSON.parse(lines[0]!);
    expect(event).toEqual({
      level: "info",
      session: "s1",
      user: "alice",
      sessions: 3,
      msg: "session opened",
    });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it("is short text for people", () => {
    const { lines, log } = logger(true);
    log.warn({ user: "a b", count: 3, ok: true, none: undefined, empty: "" }, "odd");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}odd {2}user="a b" count=3 ok=true empty=""\n$/);
    log.info({}, "plain");
    expect(lines[1]).toMatch(/ info {2}plain\n$/);
  });

  it("has no events below its level", () => {
    const { lines, log } = logger(false);
    log.debug({}, "detail");
    expect(lines).toEqual([]);
    const all = logger(false, "debug");
    all.log.debug({}, "detail");
    expect(all.lines).toHaveLength(1);
  });

  it.each([true, false])("lets no name write to the terminal or begin a line (pretty: %s)", (pretty) => {
    const { lines, log } = logger(pretty);
    const user = "a\x1b[2J\nb\u2028\u009b\u202e\u{e0001}";
    log.info({ user }, "x");
    expect(lines).toHaveLength(1);
    const written = lines[0]!.slice(0, -1);
    expect(written).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
    if (!pretty) expect(JSON.parse(written)).toMatchObject({ user });
  });

  it.each([true, false])("shows no secret that was passed by mistake (pretty: %s)", (pretty) => {
    const { lines, log } = logger(pretty);
    const mistake = { password: new Secret("swordfish") } as unknown as { password: string };
    log.info(mistake, "oops");
    expect(lines[0]).toContain("[secret]");
    expect(lines[0]).not.toContain("swordfish");
  });
});
