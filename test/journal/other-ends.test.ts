import { describe, expect, it } from "vitest";
import { ask, pair } from "./plays.ts";

/** Alice is online; both ends know her by ids of their own. */
async function alice() {
  const scene = await pair();
  const caller = scene.side.subscriber(1, "alice@isp.example", "wonderland");
  caller.start();
  await scene.world.until(() => scene.side.online.has(caller), 5000);
  const { onward } = scene.lac.views.sessions()[0]!;
  return { ...scene, leg: onward! };
}

/** A number that neither end has for a tunnel or a session. */
function unused(...used: readonly number[]): number {
  for (let id = 1; ; id++) if (!used.includes(id)) return id;
}

describe("who is asked for by the other end's ids", () => {
  it("is found: a tunnel by its id there, at either end", async () => {
    const { lac, lns, leg } = await alice();
    const [ours, theirs] = [leg.localTunnelId, leg.remoteTunnelId];
    const there = await ask(lac, { tunnel: theirs });
    expect(there).toMatchObject({ subject: `tunnel ${ours}`, headline: `Tunnel ${ours} with lns is up.` });
    expect(there.paragraphs[0]).toBe(
      `We have no tunnel ${theirs}: it is what the other end calls our tunnel ${ours}.`,
    );
    expect((await ask(lns, { tunnel: ours })).headline).toBe(`Tunnel ${theirs} with lac is up.`);
  });

  it("is told what the other end calls a tunnel of ours", async () => {
    const { lac, leg } = await alice();
    const { paragraphs } = await ask(lac, { tunnel: leg.localTunnelId });
    expect(paragraphs[0]).toBe(`The other end calls it tunnel ${leg.remoteTunnelId}.`);
  });

  it("is found: a call by the ids of its tunnel and session, whoever gave them", async () => {
    const { lac, lns, leg } = await alice();
    const ours = { tunnel: leg.localTunnelId, call: leg.localSessionId };
    const theirs = { tunnel: leg.remoteTunnelId, call: leg.remoteSessionId };
    for (const subject of [ours, theirs, { ...ours, call: theirs.call }, { ...theirs, call: ours.call }])
      expect(await ask(lac, subject)).toMatchObject({
        subject: "session s1",
        headline: "Session s1 is open.",
      });
    expect((await ask(lac, theirs)).paragraphs[0]).toBe(
      `The other end's L2TP session ${theirs.call} is our session ${ours.call} in tunnel ${ours.tunnel} (tunnel ${theirs.tunnel} at the other end).`,
    );
    expect((await ask(lns, ours)).headline).toBe("Session s1 is open.");
  });

  it("is found: a call by its session id alone, where no tunnel has the number", async () => {
    const { lac, leg } = await alice();
    for (const tunnel of [leg.remoteSessionId, leg.localSessionId])
      expect(await ask(lac, { tunnel })).toMatchObject({ subject: "session s1" });
  });

  it("is not there: a number that nobody has", async () => {
    const { lac, leg } = await alice();
    const { kind: _, peer: __, ...ids } = leg;
    const number = unused(...Object.values(ids));
    expect(await lac.journal.explain({ tunnel: number })).toMatchObject({
      subject: `tunnel ${number}`,
      found: false,
    });
    expect(await lac.journal.explain({ tunnel: leg.localTunnelId, call: number })).toMatchObject({
      subject: `session ${number} of tunnel ${leg.localTunnelId}`,
      found: false,
      headline: expect.stringContaining("nothing of it is in the journal"),
    });
  });

  it("is still found when it has ended", async () => {
    const { lac, lns, leg, world, side } = await alice();
    for (const [caller] of side.online) caller.hangUp();
    await world.pass(1000);
    lns.onDatagram = () => {};
    await world.pass(120_000);
    expect(lac.views.tunnels()).toEqual([]);
    const tunnel = await ask(lac, { tunnel: leg.remoteTunnelId });
    expect(tunnel.headline).toContain(`Tunnel ${leg.localTunnelId} with lns is down`);
    const call = await ask(lac, { tunnel: leg.remoteTunnelId, call: leg.remoteSessionId });
    expect(call).toMatchObject({ subject: "session s1", stoppedAt: "ended" });
  });
});
