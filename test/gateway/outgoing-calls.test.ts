import { describe, expect, it } from "vitest";
import { LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { wireHosts } from "../support/l2tp-peer.ts";
import { PlayedPeer } from "../support/played-peer.ts";
import { Node, World } from "../support/world.ts";

let world: World;

/** A gateway and an LNS that may ask it for calls. */
async function start(
  policy: string,
  yaml = (text: string) => text,
): Promise<{ readonly gateway: Node; readonly lns: PlayedPeer }> {
  world = new World(41);
  const asking = `name: asking, role: both, address: 10.0.0.77, host-name: asking, ${policy}`;
  const text = yaml(LNS_YAML.replace("peers: [", `peers: [{ ${asking} }, `));
  const gateway = new Node(world, "10.0.0.11", text, USERS_YAML);
  const lns = new PlayedPeer(world, gateway);
  await gateway.gateway.start();
  await lns.openTunnel("asking");
  lns.askForCall();
  return { gateway, lns };
}

describe("an outgoing call", () => {
  it("is refused as a facility that there is not, by default", async () => {
    const { gateway, lns } = await start("port: 1701");
    expect(await lns.answer("CDN")).toMatchObject({ resultCode: { result: 5 } });
    expect(gateway.views.sessions()).toEqual([]);
  });

  it("is a session as any other where the policy says so: OCRP, OCCN, and PPP of ours", async () => {
    const { gateway, lns } = await start("outgoing-calls: accept");
    await lns.answer("OCRP");
    expect(await lns.answer("OCCN")).toEqual({
      kind: "OCCN",
      txConnectSpeed: 2_000_000,
      rxConnectSpeed: 2_000_000,
      framingType: 1,
    });
    lns.dial("alice@isp.example", "wonderland");
    expect(await world.until(() => lns.told.some(({ kind }) => kind === "network-up"), 10_000)).toBe(true);
    await world.pass(10);
    expect(gateway.views.sessions()).toMatchObject([
      { role: "lns", state: "open", user: "alice@isp.example", origin: { kind: "l2tp", peer: "asking" } },
    ]);
    lns.say({ kind: "CDN", assignedSessionId: 900, resultCode: { result: 3 } });
    await world.pass(100);
    expect(gateway.records).toMatchObject([{ cause: "lac-ended", user: "alice@isp.example" }]);
  });

  it("says Sequencing Required and numbers its data where we ask an LNS for that", async () => {
    const { lns } = await start("outgoing-calls: accept, sequencing: required, connect-speed: 10M");
    await lns.answer("OCRP");
    expect(await lns.answer("OCCN")).toMatchObject({ sequencingRequired: true, txConnectSpeed: 10_000_000 });
    await world.until(() => lns.frames.length > 0, 5000);
    expect(lns.frames.map(({ numbered }) => numbered)).not.toContain(false);
  });

  it("goes on to another LNS by its subscriber's realm", async () => {
    const { gateway, lns } = await start("outgoing-calls: accept", (yaml) =>
      yaml
        .replace("peers: [", "peers: [{ name: next, address: 10.0.0.12, secret: tunnel-secret }, ")
        .replace("{ terminate: subscribers }", "{ lns: next }"),
    );
    const nextYaml = LNS_YAML.replace("10.0.0.11", "10.0.0.12").replace("host-name: lac", "host-name: lns");
    const next = new Node(world, "10.0.0.12", nextYaml, USERS_YAML);
    const toAsking = gateway.onDatagram;
    wireHosts(world, [gateway, next]);
    const toNext = gateway.onDatagram;
    gateway.onDatagram = (to, port, datagram) =>
      to === lns.address ? toAsking(to, port, datagram) : toNext(to, port, datagram);
    await next.gateway.start();
    await lns.answer("OCRP");
    lns.dial("alice@isp.example", "wonderland");
    expect(await world.until(() => lns.told.some(({ kind }) => kind === "network-up"), 10_000)).toBe(true);
    await world.pass(10);
    expect(gateway.views.sessions()).toMatchObject([
      { role: "lts", state: "open", onward: { peer: "next" } },
    ]);
    expect(next.views.sessions()).toMatchObject([{ role: "lns", user: "alice@isp.example" }]);
  });
});
