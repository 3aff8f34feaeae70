import { describe, expect, it } from "vitest";
import { DEFAULT_ADMISSION_LIMITS } from "../../src/pppoe/admission.ts";
import { Crowd } from "./crowd.ts";
import { acConfig } from "./support.ts";

const NO_ADMISSION = { ...DEFAULT_ADMISSION_LIMITS, initialStarting: 1e6, maxStarting: 1e6, maxSetUps: 1e6 };

describe("hosts that call at once", () => {
  it.each([
    [10_000, 2_000],
    [4_000, 400],
  ])(
    "are all online in less than twice the time that they need one after the other: %d of them, at %d a second",
    (hosts, rate) => {
      const crowd = new Crowd(acConfig(), hosts, rate);
      crowd.run((2 * hosts * 1000) / rate);
      expect(crowd.onlineAt).toHaveLength(hosts);
      // at every moment as many come online as can be set up
      for (const part of [0.1, 0.3, 0.5, 0.7, 0.9])
        expect(crowd.onlineAt[hosts * part]).toBeLessThan(1.1 * ((hosts * part * 1000) / rate) + 800);
      // PPP begins soon after PADS, and what is begun gets finished
      expect(crowd.longestStartMs).toBeLessThan(1_000);
      expect(crowd.callsGivenUp).toBe(0);
      // each once, but for those whose PADR came again just then
      expect(crowd.ac.counters().padsSent).toBeLessThan(1.05 * hosts);
      expect(crowd.ac.load()).toMatchObject({ settingUp: 0, starting: 0, waitingPadis: 0, waitingPadrs: 0 });
    },
  );

  it("keep each other out if everyone may begin at once", () => {
    const hosts = 4_000;
    const crowd = new Crowd(acConfig({ limits: { admission: NO_ADMISSION } }), hosts, 200);
    crowd.run(15_000);
    expect(crowd.onlineAt.length).toBeLessThan(0.1 * hosts);
    expect(crowd.callsGivenUp).toBeGreaterThan(0.5 * hosts);
  });
});
