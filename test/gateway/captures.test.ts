import { beforeEach, describe, expect, it, vi } from "vitest";
import { concatBytes } from "../../src/base/bytes.ts";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import {
  CAPTURE_DEFAULTS,
  type CaptureRequest,
  type CaptureSink,
} from "../../src/gateway/capture-request.ts";
import { MAX_CAPTURES } from "../../src/gateway/captures.ts";
import { PcapngBlocks } from "../../src/wire/pcapng-blocks.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { ipv4Packet } from "../support/ipv4-packet.ts";
import { type ReadCapture, readPcapng } from "../support/pcapng.ts";
import { startSwitchField } from "../support/switch-field.ts";
import { type Node, type Pair, type SubscriberSide, startAlone, startPair, World } from "../support/world.ts";

const ASKER = { by: "the local socket", application: "Lacewing 1.2.3" };
const PTA = `
name: pta
access: [{ interface: acc0 }]
default: { terminate: local }
units:
  local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 }
users-file: users.yaml
`;
const PPP_LCP = "c021";
const PPP_IPV4 = "0021";

/** A reader who takes as much as `takes` says; undefined is all. */
class Reader implements CaptureSink {
  readonly written: Uint8Array[] = [];
  hasEnded = false;
  waitingBytes = 0;
  isSlow = false;

  write(octets: Uint8Array): void {
    this.written.push(octets);
    if (this.isSlow) this.waitingBytes += octets.length;
  }

  end(): void {
    this.hasEnded = true;
  }

  get capture(): ReadCapture {
    return readPcapng(concatBytes(...this.written));
  }
}

let world: World;
beforeEach(() => {
  world = new World(11);
});

function capture(node: Node, change: Partial<CaptureRequest> = {}) {
  const reader = new Reader();
  const request = { session: "s1", legs: undefined, ...CAPTURE_DEFAULTS, ...change };
  const open = node.operations.capture(request, reader, ASKER);
  return { reader, open };
}

async function online(side: SubscriberSide, number = 1): Promise<Subscriber> {
  const alice = side.subscriber(number, "alice@isp.example", "wonderland");
  alice.start();
  expect(await world.until(() => side.online.has(alice), 5000)).toBe(true);
  await world.pass(50);
  return alice;
}

async function alice(): Promise<Pair & { subscriber: Subscriber }> {
  const pair = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
  return { ...pair, subscriber: await online(pair.side) };
}

/** So many packets of the subscriber's. */
async function send(side: SubscriberSide, subscriber: Subscriber, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    side.dataplane.receivePacket(side.units.get(subscriber)!, ipv4Packet("100.64.0.2", "203.0.113.10"));
  await world.pass(100);
}

/** The PPP protocols of an interface's frames, with their directions. */
function protocols({ packets, interfaces }: ReadCapture, interfaceId: number): string[] {
  const isRaw = interfaces[interfaceId]?.linkType === 101;
  return packets
    .filter((packet) => packet.interfaceId === interfaceId)
    .map(({ frame, direction }) => {
      // Ethernet and PPPoE; IPv4, UDP, L2TP with a length, FF03
      const at = isRaw ? 20 + 8 + 8 + 2 : 14 + 6;
      return `${direction} ${Buffer.from(frame.subarray(at, at + 2)).toString("hex")}`;
    });
}

describe("a capture of a LAC's session", () => {
  it("begins at once, and has what is bridged on both legs, with directions", async () => {
    const { lac, side, subscriber } = await alice();
    const { reader, open } = capture(lac);
    expect(reader.capture).toMatchObject({
      application: "Lacewing 1.2.3",
      comment: "Session s1 of alice@isp.example. There may be passwords in it.",
      interfaces: [
        { linkType: 1, name: "acc0", description: expect.stringMatching(/^PPPoE session \d+ of 02:/) },
        {
          linkType: 101,
          name: "lns",
          description: expect.stringMatching(/^L2TP with lns: .*\d+\/\d+ there/),
        },
      ],
      packets: [],
    });
    await send(side, subscriber, 3);
    open.end("seen enough");
    await world.pass(0);
    expect(reader.hasEnded).toBe(true);
    const read = reader.capture;
    expect(protocols(read, 0)).toEqual(Array(3).fill(`in ${PPP_IPV4}`));
    expect(protocols(read, 1)).toEqual(Array(3).fill(`out ${PPP_IPV4}`));
    expect(read.statistics).toMatchObject([
      { interfaceId: 0, received: 3, dropped: 0, comment: "seen enough" },
      { interfaceId: 1, received: 3, dropped: 0, comment: "seen enough" },
    ]);
  });

  it.each([
    ["access", 1],
    ["tunnel", 101],
  ] as const)("has the %s leg alone where only that is meant", async (legs, linkType) => {
    const { lac, side, subscriber } = await alice();
    const { reader } = capture(lac, { legs });
    await send(side, subscriber, 2);
    expect(reader.capture).toMatchObject({ interfaces: [{ linkType }], packets: [{}, {}] });
  });

  it("ends with the session, with its last words in it", async () => {
    const { lac, subscriber } = await alice();
    const { reader } = capture(lac);
    subscriber.hangUp();
    await world.pass(2000);
    expect(reader.hasEnded).toBe(true);
    expect(protocols(reader.capture, 0)).toContain(`in ${PPP_LCP}`);
    for (const { comment } of reader.capture.statistics) expect(comment).toMatch(/^the session has ended: /);
    expect(lac.operations.captures()).toEqual([]);
    const story = await lac.operations.why({ session: "s1" });
    expect(story.stoppedAt).toBe("ended");
    const notes = story.evidence.filter(({ name }) => name.startsWith("capture "));
    expect(notes).toMatchObject([
      { name: "capture begins", text: "access acc0, tunnel lns; by the local socket" },
      { name: "capture ends", text: expect.stringMatching(/^\d+ frames; the session has ended: /) },
    ]);
  });

  it("that is being called for gets its tunnel's leg when that is there", async () => {
    const { lac, lns, side } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
    const late = side.subscriber(1, "alice@isp.example", "wonderland");
    late.start();
    const isCalling = (): boolean => [...lac.gateway.sessions].some(({ state }) => state === "calling");
    expect(await world.until(isCalling, 5000)).toBe(true);
    const both = capture(lac, { legs: "both" });
    expect(both.reader.capture.interfaces).toHaveLength(1);
    await world.until(() => side.online.has(late), 5000);
    await send(side, late, 1);
    expect(both.reader.capture.interfaces).toMatchObject([{ linkType: 1 }, { linkType: 101 }]);
    expect(protocols(both.reader.capture, 1)).toContain(`out ${PPP_IPV4}`);
    expect(lns.views.sessions()).toHaveLength(1);
  });
});

describe("a capture of a call that never gets its tunnel", () => {
  it("says at its end why it has nothing", async () => {
    const { lac, side } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
    const late = side.subscriber(1, "alice@isp.example", "wonderland");
    late.start();
    const isCalling = (): boolean => [...lac.gateway.sessions].some(({ state }) => state === "calling");
    expect(await world.until(isCalling, 5000)).toBe(true);
    const { reader, open } = capture(lac, { legs: "tunnel" });
    open.end("nothing comes");
    await world.pass(0);
    expect(reader.hasEnded).toBe(true);
    expect(reader.capture).toMatchObject({ interfaces: [], packets: [] });
    const blocks = new PcapngBlocks();
    blocks.push(concatBytes(...reader.written));
    expect(blocks.tally.comment).toBe("nothing comes");
  });
});

describe("a capture of a session with one leg", () => {
  it("has it where none is named, and says which one is not there", async () => {
    const { lns, lac } = await alice();
    expect(capture(lns).reader.capture.interfaces).toMatchObject([{ linkType: 101, name: "lac" }]);
    expect(() => capture(lns, { legs: "access" })).toThrow(
      "session s1 has no access leg: it came by a tunnel",
    );
    expect(() => capture(lns, { legs: "both" })).toThrow("session s1 has no second leg");
    expect(lac.operations.captures()).toEqual([]);
    const alone = await startAlone(world, PTA, USERS_YAML);
    await online(alone.side);
    expect(() => capture(alone.node, { legs: "tunnel" })).toThrow("session s1 has no tunnel leg");
    expect(capture(alone.node, { legs: "access" }).reader.capture.interfaces).toMatchObject([
      { linkType: 1 },
    ]);
  });

  it("of a tunnel switch has two tunnels", async () => {
    const { lts, side } = await startSwitchField(world);
    const subscriber = await online(side);
    const { reader } = capture(lts, { legs: "tunnel" });
    await send(side, subscriber, 1);
    expect(reader.capture.interfaces).toMatchObject([{ name: "lac" }, { name: "a" }]);
    expect(protocols(reader.capture, 0)).toEqual([`in ${PPP_IPV4}`]);
    expect(protocols(reader.capture, 1)).toEqual([`out ${PPP_IPV4}`]);
  });
});

describe("a capture's limits", () => {
  it("end it: frames, octets and time", async () => {
    const { lac, side, subscriber } = await alice();
    const few = capture(lac, { frames: 5 });
    await send(side, subscriber, 9);
    expect(few.reader.hasEnded).toBe(true);
    expect(few.reader.capture.packets).toHaveLength(5);
    expect(few.reader.capture.statistics[0]?.comment).toBe("the limit of 5 frames is reached");
    const small = capture(lac, { legs: "tunnel", octets: 1024, snap: 64 });
    await send(side, subscriber, 20);
    expect(small.reader.capture.packets.map(({ frame }) => frame.length)).toEqual(Array(16).fill(64));
    expect(small.reader.capture.statistics[0]?.comment).toBe("the limit of 1024 octets is reached");
    const short = capture(lac, { seconds: 60 });
    await world.pass(59_000);
    expect(short.reader.hasEnded).toBe(false);
    await world.pass(1100);
    expect(short.reader.capture.statistics[0]?.comment).toBe("its time of 60 s is over");
    expect(lac.operations.captures()).toEqual([]);
  });

  it("let a slow reader miss frames, and count what he missed", async () => {
    const { lac, side, subscriber } = await alice();
    const { reader, open } = capture(lac, { legs: "access" });
    await send(side, subscriber, 2);
    reader.waitingBytes = 1 << 22;
    await send(side, subscriber, 3);
    reader.waitingBytes = 0;
    await send(side, subscriber, 4);
    expect(lac.operations.captures()).toMatchObject([{ id: "c1", frames: 6, passedOver: 3 }]);
    open.end("enough");
    await world.pass(0);
    expect(reader.capture.packets).toHaveLength(6);
    expect(reader.capture.statistics).toMatchObject([{ received: 9, dropped: 3 }]);
  });

  it("keep to the rate, and count what is beyond", async () => {
    const { lac, side, subscriber } = await alice();
    const { reader, open } = capture(lac, { legs: "tunnel", rate: 1024, snap: 64 });
    await send(side, subscriber, 100);
    open.end("enough");
    await world.pass(0);
    const { packets, statistics } = reader.capture;
    expect(packets.length).toBeLessThanOrEqual(17);
    expect(statistics).toMatchObject([{ received: 100, dropped: 100 - packets.length }]);
  });
});

describe("captures", () => {
  it("stand in the log, with who captured whom, and how long", async () => {
    const { lac } = await alice();
    const { open } = capture(lac);
    expect(lac.operations.captures()).toMatchObject([
      {
        id: "c1",
        session: "s1",
        user: "alice@isp.example",
        legs: ["access", "tunnel"],
        by: "the local socket",
      },
    ]);
    await world.pass(2000);
    open.end("seen enough");
    await world.pass(0);
    const about = { capture: "c1", session: "s1", user: "alice@isp.example", by: "the local socket" };
    const lines = lac.log.filter(({ message }) => message.startsWith("capture "));
    expect(lines).toMatchObject([
      { message: "capture begun", ...about, legs: "access acc0, tunnel lns", seconds: 600 },
      { message: "capture ended", ...about, seconds: 2, frames: 0, passedOver: 0, reason: "seen enough" },
    ]);
  });

  it("are refused of nobody, of somebody who is captured already, and when there are too many", async () => {
    const { lac, side } = await alice();
    expect(() => capture(lac, { session: "s9" })).toThrow("there is no session s9");
    capture(lac, { legs: "tunnel" });
    expect(() => capture(lac)).toThrow(expect.objectContaining({ code: "busy" }));
    // what could be tapped of it is let go of again
    const { open } = capture(lac, { legs: "access" });
    open.end("over");
    for (let number = 2; number <= MAX_CAPTURES; number++) {
      await online(side, number);
      capture(lac, { session: `s${number}`, legs: "access" });
    }
    expect(() => capture(lac, { legs: "access" })).toThrow(`${MAX_CAPTURES} captures are under way`);
  });

  it("make nothing of what a leg still gives when the other could not be captured", async () => {
    const { lac } = await alice();
    capture(lac, { legs: "tunnel" });
    const tap = vi.spyOn(lac.dataplane, "tap");
    expect(() => capture(lac)).toThrow("is tapped already");
    const [channel, , sink] = tap.mock.calls[0]!;
    const frame = {
      channel,
      direction: "in",
      timeUs: 1,
      lengthBytes: 64,
      frame: new Uint8Array(64),
    } as const;
    expect(() => sink([frame])).not.toThrow();
  });

  it("end by their id, and all at once", async () => {
    const { lac } = await alice();
    const first = capture(lac, { legs: "access" });
    const second = capture(lac, { legs: "tunnel" });
    lac.operations.endCapture("c1", "by somebody");
    await world.pass(0);
    expect([first.reader.hasEnded, second.reader.hasEnded]).toEqual([true, false]);
    expect(() => lac.operations.endCapture("c1", "again")).toThrow("there is no capture c1");
    await lac.operations.endCaptures("the gateway is stopping");
    expect(second.reader.capture.statistics[0]?.comment).toBe("the gateway is stopping");
  });
});
