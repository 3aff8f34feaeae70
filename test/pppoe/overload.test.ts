import { describe, expect, it } from "vitest";
import { DEFAULT_ADMISSION_LIMITS } from "../../src/pppoe/admission.ts";
import { Crowd } from "./crowd.ts";
import { acConfig } from "./support.ts";

const HOSTS = 10_000;
const NO_ADMISSION = { ...DEFAULT_ADMISSION_LIMITS, initialStarting: 1e6, maxStarting: 1e6, maxSetUps: 1e6 };

describe("ten thousand hosts that call at once", () => {
  it.each([500, 2_000])(
    "are all online in less than twice the time that they need one after the other, at %d a second",
    (rate) => {
      const crowd = new Crowd(acConfig(), HOSTS, rate);
      crowd.run((2 * HOSTS * 1000) / rate);
      expect(crowd.onlineAt).toHaveLength(HOSTS);
      // at every moment as many come online as can be set up; at the higher rate some PADIs were lost, and come again
      for (const part of rate === 500 ? [0.1, 0.3, 0.5, 0.7, 0.9] : [0.3, 0.6])
        expect(crowd.onlineAt[HOSTS * part]).toBeLessThan(1.1 * ((HOSTS * part * 1000) / rate) + 800);
      // PPP begins soon after PADS, and what is begun gets finished
      expect(crowd.longestStartMs).toBeLessThan(1_000);
      expect(crowd.callsGivenUp).toBe(0);
      expect(crowd.ac.counters().padsSent).toBe(HOSTS);
      expect(crowd.ac.load()).toMatchObject({ settingUp: 0, starting: 0, waitingPadis: 0, waitingPadrs: 0 });
    },
  );

  it("keep each other out if everyone may begin at once", () => {
    const crowd = new Crowd(acConfig({ limits: { admission: NO_ADMISSION } }), HOSTS, 500);
    crowd.run(15_000);
    expect(crowd.onlineAt.length).toBeLessThan(0.1 * HOSTS);
    expect(crowd.callsGivenUp).toBeGreaterThan(0.5 * HOSTS);
  });
});
