import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { feedWatchdog, watchdogIntervalMs } from "../../src/cli/watchdog.ts";

describe("systemd's watchdog", () => {
  it("is told twice in the time that it allows", () => {
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "77" }, 77)).toBe(15_000);
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "30000000" }, 77)).toBe(15_000);
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "1" }, 77)).toBe(1);
  });

  it("is told nothing where it waits for nobody, or for another process", () => {
    expect(watchdogIntervalMs({}, 77)).toBeUndefined();
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "78" }, 77)).toBeUndefined();
    for (const nonsense of ["", "0", "-5", "soon", "1e9", "9".repeat(40)])
      expect(watchdogIntervalMs({ WATCHDOG_USEC: nonsense }, 77)).toBeUndefined();
  });

  describe("feeding it", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it("goes on when once it could not be told, and says so", async () => {
      const errors: string[] = [];
      const refuse = () => Promise.reject(new Error("no such socket"));
      const end = feedWatchdog(refuse, 500, ({ message }) => errors.push(message));
      await vi.advanceTimersByTimeAsync(1100);
      end();
      expect(errors).toEqual(["no such socket", "no such socket"]);
    });

    it("goes on until it is ended", () => {
      const said: string[] = [];
      const end = feedWatchdog(
        async (state) => said.push(state) > 0,
        500,
        () => {},
      );
      vi.advanceTimersByTime(1600);
      expect(said).toEqual(["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
      end();
      vi.advanceTimersByTime(5000);
      expect(said.length).toBe(3);
    });
  });
});
