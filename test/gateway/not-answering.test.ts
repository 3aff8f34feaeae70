/** A peer that is gone is seen to be gone while its tunnels still stand. */

import { beforeEach, describe, expect, it } from "vitest";
import { HELLO, typeAt } from "../../src/journal/control-fields.ts";
import { ipv4Packet } from "../support/ipv4-packet.ts";
import { lnsView, logged, startField } from "../support/lns-field.ts";
import { World } from "../support/world.ts";

let world: World;
beforeEach(() => {
  world = new World(41);
});

/** Alice is online by way of a; b stands by. */
async function online() {
  const field = await startField(world, {
    members: "{ peer: a, preference: 1 }, { peer: b, preference: 2 }",
  });
  const { lac, side } = field;
  const alice = side.subscriber(1, "alice@isp.example", "wonderland");
  alice.start();
  expect(await world.until(() => side.online.has(alice), 5000)).toBe(true);
  const hellos: number[] = [];
  const { onDatagram } = lac;
  lac.onDatagram = (to, port, datagram) => {
    if ((datagram[0]! & 0x80) !== 0 && typeAt(datagram, 0, datagram.length) === HELLO)
      hellos.push(world.clock.now());
    onDatagram(to, port, datagram);
  };
  /** She goes on sending, a packet a second. */
  const talks = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1000) {
      side.dataplane.receivePacket(side.units.get(alice)!, ipv4Packet("100.64.0.2", "203.0.113.10"));
      await world.pass(1000);
    }
  };
  const operations = lac.operations;
  const shown = async () => ({
    tunnel: operations.tunnels({ state: "established" })[0]?.notAnsweringForSeconds,
    lns: operations.lns().find(({ peer }) => peer === "a")?.state,
    problems: operations.health().problems.map(({ code, severity }) => `${severity} ${code}`),
    why: (await operations.why({ session: "s1" })).likely.map(({ code }) => code),
  });
  return { field, alice, hellos, talks, operations, shown };
}

describe("an LNS that has died", () => {
  it("is shown as not answering some seconds after subscribers have sent into its silence", async () => {
    const { field, talks, operations, shown } = await online();
    await talks(5000);
    expect(await shown()).toEqual({ tunnel: null, lns: "up", problems: [], why: [] });
    field.dead.add("a");
    await talks(19_000);
    expect(await shown()).toEqual({
      tunnel: expect.any(Number),
      lns: "not-answering",
      problems: ["error tunnel-not-answering"],
      why: ["tunnel-not-answering"],
    });
    const [problem] = operations.health().problems;
    expect(problem?.text).toMatch(
      /^a has not answered in tunnel \d+ for \d+ s: if that goes on, it ends within half a minute, with one session\.$/,
    );
    expect(logged(field, "L2TP peer does not answer")).toMatchObject([
      { peer: "a", reason: expect.stringMatching(/^HELLO sent 2 times, no acknowledgement, last heard/) },
    ]);
    const kinds = field.lac.events.since(0)!.map(({ event }) => event.kind);
    expect(kinds.at(-1)).toBe("tunnel-not-answering");
  });

  it("gets no new calls while there is another, and loses its tunnel in less than a minute", async () => {
    const { field, talks, shown } = await online();
    field.dead.add("a");
    await talks(19_000);
    const bob = field.side.subscriber(2, "alice@isp.example", "wonderland");
    bob.start();
    expect(await world.until(() => field.side.online.has(bob), 1000)).toBe(true);
    expect(lnsView(field, "b")).toMatchObject({ state: "up", sessions: 1 });
    await world.pass(30_000);
    expect(lnsView(field, "a")).toMatchObject({ state: "locked-out", notAnsweringForSeconds: null });
    expect((await shown()).why).toEqual(["tunnel-lost"]);
  });

  it("is why its subscriber has hung up", async () => {
    const { field, alice, talks, operations } = await online();
    field.dead.add("a");
    await talks(25_000);
    alice.hangUp();
    await world.pass(60_000);
    const story = await operations.why({ session: "s1" });
    expect(story.headline).toContain("hung up");
    expect(story.likely.map(({ code }) => code)).toEqual(["tunnel-lost"]);
    expect(story.paragraphs.join("\n")).toMatch(
      /a did not answer in the tunnel at [\d:.]+: HELLO sent 2 times/,
    );
  });

  it("is not why somebody has hung up before", async () => {
    const { field, alice, operations } = await online();
    alice.hangUp();
    await world.pass(1000);
    field.dead.add("a");
    await world.pass(120_000);
    const story = await operations.why({ session: "s1" });
    expect(story.likely.map(({ code }) => code)).toEqual(["subscriber-left-lns"]);
  });
});

describe("an LNS that was away for a while", () => {
  it("is shown as well again with its first acknowledgement, and the story tells of it", async () => {
    const { field, talks, operations, shown } = await online();
    field.dead.add("a");
    await talks(20_000);
    expect(lnsView(field, "a")?.state).toBe("not-answering");
    field.dead.delete("a");
    await talks(9000);
    expect(await shown()).toEqual({ tunnel: null, lns: "up", problems: [], why: [] });
    expect(logged(field, "L2TP peer answers again")).toHaveLength(1);
    const { paragraphs, headline } = await operations.why({ session: "s1" });
    expect(headline).toBe("Session s1 is open.");
    expect(paragraphs.join("\n")).toMatch(/It answered again at [\d:.]+, after \d+\.\d s\./);
    const { localTunnelId } = operations.tunnels({ peer: "a" })[0]!;
    const tunnel = await operations.why({ tunnel: localTunnelId });
    expect(tunnel.headline).toBe(`Tunnel ${localTunnelId} with a is up.`);
    expect(tunnel.paragraphs.join("\n")).toContain("a did not answer in the tunnel at");
  });
});

describe("HELLO", () => {
  it("is sent early where data only leaves, once in ten seconds, and not where answers come", async () => {
    const { field, hellos, talks } = await online();
    // a's terminated subscriber answers nothing by himself: the tunnel is one-sided, and its LNS well
    await talks(40_000);
    const count = hellos.length;
    expect(count).toBeGreaterThanOrEqual(1);
    expect(count).toBeLessThanOrEqual(4);
    for (let i = 1; i < count; i++) expect(hellos[i]! - hellos[i - 1]!).toBeGreaterThanOrEqual(10_000);
    expect(field.lac.operations.tunnels({})).toMatchObject([{ notAnsweringForSeconds: null }]);
  });

  it("waits for its interval where nobody says anything", async () => {
    const { hellos } = await online();
    await world.pass(25_000);
    expect(hellos).toEqual([]);
  });
});
