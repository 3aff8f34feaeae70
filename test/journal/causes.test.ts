/** Failures as they happen to people, at either end: one main cause each, and what to read of it. */

import { describe, expect, it } from "vitest";
import type { StoryView } from "../../src/journal/story-view.ts";
import { LAC_YAML, USERS_YAML } from "../support/configurations.ts";
import { L2tpPeer, wireHosts } from "../support/l2tp-peer.ts";
import { Node, SubscriberSide, World, wireEthernet } from "../support/world.ts";
import { ask, pair, pta } from "./plays.ts";

const USER = "alice@isp.example";
const MAC = "02:00:00:01:00:01";

function causes({ likely }: StoryView): readonly string[] {
  return likely.map(({ code }) => code);
}

/** Alice has called, and what came of it has come. */
async function called(
  change: Parameters<typeof pair>[0],
  password = "wonderland",
): Promise<Awaited<ReturnType<typeof pair>>> {
  const scene = await pair(change);
  scene.side.subscriber(1, USER, password).start();
  await scene.world.pass(10_000);
  return scene;
}

describe("at both ends of a tunnel", () => {
  it("another secret is the cause, whoever asks", async () => {
    const { lac, lns } = await called({ lns: (yaml) => yaml.replace("tunnel-secret", "another") });
    expect(causes(await ask(lac, { user: USER }))).toEqual(["tunnel-secret-differs"]);
    expect(causes(await ask(lac, { mac: MAC }))).toEqual(["tunnel-secret-differs"]);
    const { localTunnelId } = lns.views.tunnels()[0]!;
    expect(causes(await ask(lns, { tunnel: localTunnelId }))).toEqual(["tunnel-secret-differs"]);
  });

  it("a secret at one end alone is the cause, too", async () => {
    const world = new World(9);
    const lac = new Node(world, "10.0.0.2", LAC_YAML, USERS_YAML);
    const lns = new L2tpPeer(world, "10.0.0.11", "lns", { accept: true });
    const side = new SubscriberSide(world);
    wireHosts(world, [lac, lns], new Set());
    wireEthernet(side, lac);
    await side.open();
    await lac.gateway.start();
    side.subscriber(1, USER, "wonderland").start();
    await world.pass(5000);
    const story = await ask(lac, { user: USER });
    expect(causes(story)).toEqual(["tunnel-secret-differs"]);
    expect(story.headline).toContain("no secret to answer the challenge with");
  });

  it("a wrong password, which the LNS alone knows", async () => {
    const { lac, lns } = await called({}, "wrong");
    const atLac = await ask(lac, { user: USER });
    expect(causes(atLac)).toEqual(["lns-refused-login"]);
    expect(atLac.headline).toContain("wrong user name or password");
    expect(causes(await ask(lns, { user: USER }))).toEqual(["password-wrong"]);
  });

  it("a realm that the LNS does not serve", async () => {
    const { lac, lns } = await called({
      lns: (yaml) => yaml.replace("{ isp.example:", "{ other.example:"),
    });
    const atLac = await ask(lac, { user: USER });
    expect(causes(atLac)).toEqual(["lns-refused-login"]);
    expect(atLac.likely[0]?.text).toContain("no service for his realm");
    expect(causes(await ask(lns, { user: USER }))).toEqual(["realm-unknown"]);
  });

  it.each([
    ["the LNS's operator ends the tunnel", "lns", "tunnel-refused", "tunnel-closed-here"],
    ["the LAC's operator does", "lac", "tunnel-closed-here", "tunnel-refused"],
  ] as const)("%s", async (_, who, atLac, atLns) => {
    const scene = await called({});
    const { operations, views } = scene[who];
    await operations.end({ tunnel: views.tunnels()[0]!.localTunnelId }, "maintenance");
    await scene.world.pass(3000);
    expect(causes(await ask(scene.lac, { user: USER }))).toEqual([atLac]);
    expect(causes(await ask(scene.lns, { user: USER }))).toEqual([atLns]);
  });

  it("the LAC dies", async () => {
    const { lac, lns, world } = await called({});
    lac.onDatagram = () => {};
    await world.pass(120_000);
    expect(causes(await ask(lns, { user: USER }))).toEqual(["tunnel-lost"]);
  });

  it("the LNS is stopped, and says so to everybody", async () => {
    const { lac, lns, world } = await called({});
    void lns.gateway.stop("upgrade");
    await world.pass(10_000);
    const story = await ask(lac, { user: USER });
    expect(causes(story)).toEqual(["peer-shuts-down"]);
  });
});

describe("a story", () => {
  it("says once why the only LNS did not take the call", async () => {
    const { lac } = await called({ lns: (yaml) => yaml.replace("tunnel-secret", "another") });
    const { paragraphs } = await ask(lac, { user: USER });
    expect(paragraphs.filter((text) => text.includes("authentication failed"))).toHaveLength(1);
    expect(paragraphs.at(-1)).toMatch(/^It ended at [\d:.]+ \(no-lns\): there was no other LNS to ask\.$/);
  });

  it("says by which limit a host was refused", async () => {
    const { node, side, world } = await pta("max-sessions: 1");
    side.subscriber(1, "bob", "builder").start();
    await world.pass(2000);
    side.subscriber(2, USER, "wonderland").start();
    await world.pass(8000);
    const story = await ask(node, { mac: "02:00:00:01:00:02" });
    expect(causes(story)).toEqual(["session-refused"]);
    expect(story.paragraphs).toContain('We refused it a session: AC-System-Error "session limit reached".');
  });

  it.each([
    [{ mac: "02:00:00:00:00:77" }, "look at its line and VLAN"],
    [{ user: "nobody@isp.example" }, "compared whole, with its realm"],
    [{ session: "s99" }, "numbered anew when the gateway is started"],
    [{ tunnel: 77 }, "Neither end has had a tunnel of that number"],
  ])("of %o, of which nothing is known, says where to look", async (subject, hint) => {
    const { lac } = await pair();
    expect((await lac.journal.explain(subject)).paragraphs).toEqual([expect.stringContaining(hint)]);
  });
});
