/** What is known of why an LNS does not answer is told, and changes nothing of what becomes of it. */

import { describe, expect, it } from "vitest";
import type { IcmpReport } from "../../src/channel/dataplane.ts";
import { logged, startField } from "../support/lns-field.ts";
import { World } from "../support/world.ts";

/** LNS a is called, and not there; `errno` and `icmp` come of each message to it. */
async function calling(errno?: string, icmp?: IcmpReport) {
  const world = new World(42);
  const members = "{ peer: a, preference: 1 }, { peer: b, preference: 2 }";
  const field = await startField(world, { members }, ["a"]);
  const { lac, side } = field;
  const { onDatagram } = lac;
  lac.onDatagram = (to, port, datagram) => {
    if (to === "10.0.0.11" && errno !== undefined) lac.dataplane.notReached(to, errno, icmp);
    onDatagram(to, port, datagram);
  };
  const alice = side.subscriber(1, "alice@isp.example", "wonderland");
  alice.start();
  let lockedAt = 0;
  await world.until(() => {
    const isLocked = lac.operations.lns()[0]?.state === "locked-out";
    if (isLocked) lockedAt = world.clock.now();
    return isLocked;
  }, 60_000);
  const reason = lac.operations.lns()[0]?.reason;
  return { world, field, alice, lockedAt, reason };
}

const REFUSED: IcmpReport = { reason: "port", reporter: "10.0.0.11" };

describe("an LNS that is not reached", () => {
  it.each([
    ["ENETUNREACH", undefined, "no route to 10.0.0.11 (ENETUNREACH), no SCCRP"],
    ["EPERM", undefined, "a packet filter of this host lets nothing out to 10.0.0.11 (EPERM), no SCCRP"],
    [
      "ECONNREFUSED",
      REFUSED,
      "SCCRQ sent 3 times, no SCCRP; 10.0.0.11 says that nobody listens at UDP port 1701 of 10.0.0.11 (ICMP port unreachable)",
    ],
    ["EMSGSIZE", undefined, "SCCRQ sent 3 times, no SCCRP, nothing ever came back"],
  ])("is locked out for what is known of it: %s", async (errno, icmp, reason) => {
    expect((await calling(errno, icmp)).reason).toBe(reason);
  });

  it("is locked out no sooner for what anybody may have said of it", async () => {
    const { lockedAt } = await calling();
    expect((await calling("ECONNREFUSED", REFUSED)).lockedAt).toBe(lockedAt);
    expect((await calling("ENETUNREACH")).lockedAt).toBe(lockedAt);
  });

  it("is told of once a tunnel, however often it is tried", async () => {
    const { field } = await calling("ENETUNREACH");
    expect(logged(field, "not reached")).toMatchObject([
      { peer: "a", reason: "no route to 10.0.0.11 (ENETUNREACH)" },
    ]);
    const { evidence, paragraphs } = await field.lac.operations.why({ session: "s1" });
    expect(evidence.filter(({ text }) => text.includes("is not reached"))).toHaveLength(1);
    expect(paragraphs.join(" ")).toContain("did not arrive");
  });
});

describe("an LNS that answers", () => {
  it("is not talked ill of: what is said of it is forged, or was so before", async () => {
    const { world, field, alice } = await calling("ENETUNREACH");
    expect(await world.until(() => field.side.online.has(alice), 20_000)).toBe(true);
    for (let i = 0; i < 100; i++) field.lac.dataplane.notReached("10.0.0.12", "ECONNREFUSED", REFUSED);
    await world.pass(120_000);
    expect(field.side.online.has(alice)).toBe(true);
    expect(logged(field, "not reached")).toHaveLength(1);
    expect(field.lac.operations.health().problems.map(({ code }) => code)).not.toContain(
      "tunnel-not-answering",
    );
  });

  it("is explained as soon as it answers no more", async () => {
    const { world, field, alice } = await calling("ENETUNREACH");
    await world.until(() => field.side.online.has(alice), 20_000);
    const { lac } = field;
    lac.onDatagram = (to) =>
      lac.dataplane.notReached(to, "ECONNREFUSED", { ...REFUSED, reporter: "10.0.0.1" });
    await world.until(() => !field.side.online.has(alice), 200_000);
    const story = await lac.operations.why({ session: "s1" });
    expect(story.likely.map(({ code }) => code)).toEqual(["lns-port-closed", "tunnel-lost"]);
    expect(story.paragraphs.join(" ")).toContain("10.0.0.1 says that nobody listens");
  });
});
