import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Journal } from "../../src/journal/journal.ts";
import type { StoryView } from "../../src/journal/story-view.ts";
import { LAC_YAML, USERS_YAML } from "../support/configurations.ts";
import { startField } from "../support/lns-field.ts";
import { startSwitchField } from "../support/switch-field.ts";
import { type Pair, startAlone, startPair, World } from "../support/world.ts";
import { ask, pair, pta } from "./plays.ts";
import { withPlayedLns } from "./plays-lns.ts";

const USER = "alice@isp.example";

/** A story as text, with what is new every time told alike: ids, magic numbers, cookies. */
function told({ headline, paragraphs, evidence, stoppedAt, likely }: StoryView): string {
  const lines = evidence.map(({ at, direction, leg, name, text, again }) =>
    [
      at.slice(17, 23),
      direction === null ? "--" : direction === "in" ? "->" : "<-",
      leg,
      name,
      text,
      again ? "(again)" : "",
    ]
      .join(" ")
      .trim(),
  );
  return [headline, ...paragraphs, ...lines, `stopped at ${stoppedAt}`, ...likely.map(({ code }) => code)]
    .join("\n")
    .replaceAll(/0x[0-9a-f]{8,}/g, "0x…")
    .replaceAll(/\b(Assigned (?:Tunnel|Session) ID|session|tunnel|id|Serial Number) \d+/g, "$1 #")
    .replaceAll(/(PPPoE session|note tunnel|^Tunnel) \d+/gm, "$1 #");
}

async function online(scene: Pair & { readonly world: World }) {
  const alice = scene.side.subscriber(1, USER, "wonderland");
  alice.start();
  await scene.world.until(() => scene.side.online.has(alice), 30_000);
  return alice;
}

describe("a story", () => {
  it("of a session that is open tells how it came about, whole", async () => {
    const scene = await pair();
    await online(scene);
    expect(told(await ask(scene.lac, { user: USER }))).toMatchSnapshot();
    expect(told(await ask(scene.lns, { session: "s1" }))).toMatchSnapshot();
  });

  it("of a call tells which LNSes were considered, what was sent again, and who took it", async () => {
    const world = new World(4);
    const field = await startField(
      world,
      { members: "{ peer: a, preference: 1 }, { peer: b, preference: 2 }" },
      ["a"],
    );
    const alice = field.side.subscriber(1, USER, "wonderland");
    alice.start();
    await world.until(() => field.side.online.has(alice), 30_000);
    expect(told(await ask(field.lac, { mac: "02:00:00:01:00:01" }))).toMatchSnapshot();
  });

  it("of a switched call has what both legs said, and what became of it for either", async () => {
    const world = new World(15);
    const field = await startSwitchField(world);
    const alice = field.side.subscriber(1, USER, "wonderland");
    alice.start();
    await world.until(() => field.side.online.has(alice), 30_000);
    const open = await ask(field.lts, { user: USER });
    const calls = open.evidence.filter(({ name }) => /^IC|^session open/.test(name));
    expect(calls.map(({ name, direction }) => `${name} ${direction}`)).toEqual([
      "ICRQ in",
      "ICRP out",
      "ICCN in",
      "ICRQ out",
      "ICRP in",
      "ICCN out",
      "session open null",
    ]);
    alice.giveUp();
    await world.pass(5000);
    const ended = await ask(field.lts, { session: "s1" });
    expect(ended.likely.map(({ code }) => code)).toEqual(["lac-ended-call"]);
    expect(ended.evidence.filter(({ name }) => name === "CDN").map(({ direction }) => direction)).toEqual([
      "in",
      "out",
    ]);
  });

  it("of a login that the LNS refused says so, although the subscriber hung up before its CDN came", async () => {
    const { world, lac, lns, alice } = await withPlayedLns();
    await world.until(() => lns.all("call-offered").length > 0, 5000);
    const { tunnel, session } = lns.one("call-offered");
    lns.do((endpoint, now) => endpoint.acceptCall(now, tunnel, session));
    await world.until(() => lns.all("call-connected").length > 0, 5000);
    alice.giveUp();
    const refusal = { result: 3, disconnect: { code: 16, protocol: 0, direction: 1 } } as const;
    lns.do((endpoint, now) => endpoint.closeSession(now, tunnel, session, refusal));
    await world.pass(5000);
    const story = await ask(lac, { user: USER });
    expect(story.paragraphs.join()).toContain("(hung-up)");
    expect(story.likely.map(({ code }) => code)).toEqual(["lns-refused-login"]);
  });

  it("of a user who is online, and of whom a later call was refused, tells of his open session, too", async () => {
    const { node, side, world } = await pta();
    side.subscriber(1, "bob", "builder").start();
    await world.pass(5000);
    side.subscriber(2, "bob", "wrong").start();
    await world.pass(5000);
    const story = await ask(node, { user: "bob" });
    expect(story.headline).toContain("s2 never opened");
    expect(story.paragraphs[0]).toBe("It has other sessions that have not ended: s1.");
  });

  it("of a session numbered 0 is of none: what belongs to no session is not one", async () => {
    const scene = await pair();
    await online(scene);
    expect(await scene.lac.journal.explain({ session: "s0" })).toMatchObject({ found: false, evidence: [] });
  });

  it("of a host that was never answered tells why", async () => {
    const { node, side, world } = await pta("drain: true");
    side.subscriber(1, "bob", "builder").start();
    await world.pass(20_000);
    expect(told(await ask(node, { mac: "02:00:00:01:00:01" }))).toMatchSnapshot();
  });

  it("of a tunnel tells its own messages, and what became of the calls in it", async () => {
    const scene = await pair();
    const alice = await online(scene);
    alice.hangUp();
    await scene.world.pass(100);
    const { localTunnelId } = scene.lac.views.tunnels()[0]!;
    expect(told(await ask(scene.lac, { tunnel: localTunnelId }))).toMatchSnapshot();
  });

  it("of a user is of his last session, and says how the ones before ended", async () => {
    const { node, side, world } = await pta();
    for (let i = 1; i <= 3; i++) {
      side.subscriber(i, "bob", i === 2 ? "wrong" : "builder").start();
      await world.pass(5000);
    }
    const story = await ask(node, { user: "bob" });
    expect(story.headline).toBe("User bob: session s3 is open.");
    expect(story.paragraphs.at(-1)).toMatch(
      /^2 sessions of it ended before; the last, s1, at .* \(replaced: bob has logged in again/,
    );
    expect(story.evidence.every(({ text }) => !text.includes("PPPoE session 1 "))).toBe(true);
  });

  it("of a host that calls again is of this call, and names the session before", async () => {
    const world = new World(6);
    const yaml = `
name: pta
access: [{ interface: acc0 }]
default: { terminate: local }
units: { local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 } }
users-file: users.yaml
`;
    const { node, side } = await startAlone(world, yaml, USERS_YAML);
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    await world.until(() => side.online.has(bob), 5000);
    bob.hangUp();
    await world.pass(5000);
    node.gateway.drain(true);
    side.subscriber(2, "bob", "builder", bob.mac).start();
    await world.pass(1000);
    const story = await ask(node, { mac: "02:00:00:01:00:01" });
    expect(story).toMatchObject({ stoppedAt: "discovery", likely: [{ code: "access-draining" }] });
    expect(story.paragraphs.at(-1)).toMatch(/^One session of it ended before; the last, s1, .* \(hung-up/);
  });

  it("of two sessions at one host has the discovery of the one that is asked for", async () => {
    const { node, side, world } = await pta();
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    await world.until(() => side.online.has(bob), 5000);
    bob.hangUp();
    await world.pass(500);
    side.subscriber(2, "bob", "builder", bob.mac).start();
    await world.pass(500);
    const story = await ask(node, { session: "s2" });
    expect(story.evidence.filter(({ name }) => name === "PADI")).toHaveLength(1);
    expect(story.evidence.filter(({ name }) => name === "PADT")).toHaveLength(0);
    const former = await ask(node, { session: "s1" });
    const [opened] = former.evidence.filter(({ name }) => name === "PADS");
    const id = /session \d+/.exec(opened!.text)![0];
    expect(former.paragraphs).toContain("One PADI came on acc0; one PADO went out.");
    expect(former.evidence.filter(({ name }) => name === "PADI" || name === "PADS")).toHaveLength(2);
    for (const { text } of former.evidence.filter(({ name }) => name === "PADT")) expect(text).toContain(id);
  });

  it("of a session that the host's next call has replaced ends with it", async () => {
    const { node, side, world } = await pta();
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    await world.until(() => side.online.has(bob), 5000);
    side.subscriber(2, "bob", "builder", bob.mac).start();
    await world.pass(500);
    const story = await ask(node, { session: "s1" });
    expect(story.headline).toContain("a newer call from the same MAC address took its place");
    expect(story.paragraphs).toContain("One PADI came on acc0; one PADO went out.");
    expect(story.evidence.filter(({ name }) => name === "PADT")).toHaveLength(1);
    expect(story.evidence.filter(({ name }) => name === "PADS")).toHaveLength(1);
  });

  it.each([
    [{ session: "s99" }, "session s99"],
    [{ session: "nonsense" }, "session nonsense"],
    [{ user: "nobody\u001b[2J" }, "user nobody\u001b[2J"],
    [{ mac: "02:00:00:00:00:99" }, "host 02:00:00:00:00:99"],
    [{ mac: "not a MAC" }, "host not a mac"],
    [{ tunnel: 77 }, "tunnel 77"],
    [{}, "tunnel 0"],
  ])("of %o, of which nothing is known, says so", async (subject, name) => {
    const { lac } = await pair();
    const story = await lac.journal.explain(subject);
    expect(story).toMatchObject({
      subject: name,
      found: false,
      stoppedAt: "unheard",
      evidence: [],
      likely: [],
    });
    expect(story.headline).toContain("nothing of it is in the journal");
    expect(story.headline).not.toContain("\u001b");
  });
});

describe("whatever is in the journal", () => {
  it("can be told", async () => {
    const world = new World(1);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(4), fc.uint8Array({ maxLength: 60 }), fc.nat(3), fc.string()), {
          maxLength: 40,
        }),
        async (records) => {
          const journal = new Journal(256 * 1024, world.clock);
          journal.note(
            "session-begun",
            { session: 1, mac: 0x020000000001, tunnel: 1, l2tpSession: 1 },
            "l2tp",
            "x",
            "",
          );
          for (const [kind, octets, number, text] of records) {
            const control = Uint8Array.of(
              0xc8,
              2,
              0,
              12 + octets.length,
              0,
              number,
              0,
              number,
              0,
              0,
              0,
              0,
              ...octets,
            );
            const frame = Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x88, 0x63, 0x11, ...octets);
            if (kind === 0) journal.ppp(number, true, Uint8Array.of(0xc0, 0x21, ...octets));
            if (kind === 1) journal.discovery("acc0", number > 1, frame);
            if (kind === 2) journal.control(number, number > 1, control, true);
            if (kind === 3) journal.note("user", { session: number }, text);
            if (kind === 4) journal.note("lns-chosen", { session: number, tunnel: number }, text);
          }
          for (const subject of [
            { session: "s1" },
            { user: "" },
            { mac: "02:00:00:00:00:01" },
            { tunnel: 1 },
          ]) {
            const story = await journal.explain(subject);
            expect(JSON.stringify(story)).not.toMatch(/\\u001b|\\u0007/);
            expect(story.evidence.map(({ at }) => at)).toEqual(story.evidence.map(({ at }) => at).sort());
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("retransmissions", () => {
  it("are told as such, of every protocol", async () => {
    const world = new World(12);
    const { lac, side } = await startPair(
      world,
      LAC_YAML,
      LAC_YAML.replace("name: lac", "name: deaf").replace("10.0.0.2 ", "10.0.0.11 "),
      USERS_YAML,
    );
    lac.onDatagram = () => {};
    side.subscriber(1, USER, "wonderland").start();
    await world.pass(8000);
    const { evidence } = await ask(lac, { user: USER });
    const sccrqs = evidence.filter(({ name }) => name === "SCCRQ");
    expect(sccrqs.map(({ again }) => again)).toEqual([undefined, true, true]);
    const responses = evidence.filter(({ name }) => name === "CHAP Response");
    expect(responses.slice(0, 3).map(({ again }) => again)).toEqual([undefined, true, true]);
  });
});
