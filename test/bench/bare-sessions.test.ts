import { describe, expect, it } from "vitest";
import { bareSessions, MOST_BARE_SESSIONS, parseSessions, sessionsText } from "../../bench/bare-sessions.ts";

describe("sessions that nobody has called for", () => {
  it("are read as they were written", () => {
    const sessions = bareSessions(300);
    expect(parseSessions(sessionsText(sessions))).toEqual(sessions);
  });

  it("have a line each, as the generator reads them", () => {
    expect(sessionsText(bareSessions(1))).toBe("02:00:00:00:00:01 1 100 1 200 1 0\n");
  });

  it("have addresses and ids of their own, as many as there can be", () => {
    const sessions = bareSessions(MOST_BARE_SESSIONS);
    expect(new Set(sessions.map(({ mac }) => mac)).size).toBe(MOST_BARE_SESSIONS);
    expect(new Set(sessions.map(({ pppoeSessionId }) => pppoeSessionId)).size).toBe(MOST_BARE_SESSIONS);
    expect(Math.max(...sessions.map(({ pppoeSessionId }) => pppoeSessionId))).toBe(0xfffe);
    expect(() => bareSessions(MOST_BARE_SESSIONS + 1)).toThrow(RangeError);
  });

  it.each([
    "02:00:00:00:00:01 1 100 1 200 1",
    "02:00:00:00:01 1 100 1 200 1 0",
    "02:00:00:00:00:01 1 100 1 200 65536 0",
    "02:00:00:00:00:01 1 100 x 200 1 0",
  ])("are not read from %j", (line) => {
    expect(() => parseSessions(`${line}\n`)).toThrow(TypeError);
  });
});
