import { describe, expect, it } from "vitest";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import {
  type Alone,
  macOf,
  Node,
  type Pair,
  SubscriberSide,
  startAlone,
  startPair,
  World,
  wireEthernet,
} from "../support/world.ts";

const PTA_YAML = `
name: pta
access: [{ interface: acc0 }]
default: { terminate: local }
units:
  local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 }
users-file: users.yaml
`;

let world: World;

async function pair(): Promise<Pair> {
  world = new World(1);
  return startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
}

async function pta(delayMs = 0): Promise<Alone> {
  world = new World(2);
  const alone = await startAlone(world, PTA_YAML, USERS_YAML);
  alone.node.dataplane.delayMs = delayMs;
  return alone;
}

/** Nothing is left of anybody: no session, and no channel or unit in the data plane. */
function expectEmpty(node: Node): void {
  expect(node.views.sessions()).toEqual([]);
  expect(node.views.channels()).toEqual([]);
  expect(node.log.filter(({ level }) => level === "error")).toEqual([]);
}

describe("every end at every moment of a call", () => {
  /** What may happen, to a LAC and an LNS whose data planes take a moment for every change. */
  const events: Readonly<Record<string, (p: Pair, alice: ReturnType<SubscriberSide["subscriber"]>) => void>> =
    {
      "the subscriber hangs up": (_p, alice) => alice.hangUp(),
      "the subscriber vanishes and calls anew": ({ side }) => {
        side.subscriber(9, "alice@isp.example", "wonderland", macOf(1)).start();
      },
      "the access interface is removed": ({ lac }) =>
        lac.host.announce({ kind: "gone", ifindex: 1, name: "acc0" }),
      "the LAC stops": ({ lac }) => void lac.gateway.stop("test"),
      "the LNS stops": ({ lns }) => void lns.gateway.stop("test"),
      "both stop at once": ({ lac, lns }) => {
        void lac.gateway.stop("test");
        void lns.gateway.stop("test");
      },
      "the LNS clears the call and then the tunnel": ({ lns }) => {
        const session = [...lns.gateway.sessions][0];
        session?.end({ code: "failed", text: "cleared" });
        void lns.gateway.stop("test");
      },
    };

  it.each(Object.entries(events))("%s: nothing is left, everyone is told once", async (_name, happen) => {
    for (let ms = 0; ms < 40; ms += 1) {
      const { lac, lns, side } = await pair();
      lac.dataplane.delayMs = 1.5;
      lns.dataplane.delayMs = 1.5;
      const alice = side.subscriber(1, "alice@isp.example", "wonderland");
      alice.start();
      await world.pass(ms);
      happen({ lac, lns, side }, alice);
      await world.pass(20_000);
      for (const caller of [...side.online.keys()]) caller.hangUp();
      await world.pass(20_000);
      for (const node of [lac, lns]) {
        expectEmpty(node);
        const told = node.records.map(({ session }) => session);
        expect(new Set(told).size).toBe(told.length);
      }
    }
  });
});

describe("a gateway that stops", () => {
  it("ends within 3 s beside a subscriber and an LNS that say nothing any more", async () => {
    const { lac, lns, side } = await pair();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 1000);
    world.weather = { ...world.weather, loss: 1 };
    const before = world.clock.now();
    let stopped = 0;
    for (const node of [lac, lns]) void node.gateway.stop("test").then(() => (stopped += 1));
    expect(await world.until(() => stopped === 2, 10_000)).toBe(true);
    expect(world.clock.now() - before).toBeLessThan(3000);
  });

  it("takes no call that comes meanwhile", async () => {
    const { node, side } = await pta();
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    await world.until(() => side.online.has(bob), 1000);
    const deliver = node.onEthernet;
    node.onEthernet = (frame) => {
      if (frame[5] !== 1) deliver(frame); // bob is deaf: his Terminate-Ack does not come
    };
    let stopped = false;
    void node.gateway.stop("test").then(() => {
      stopped = true;
    });
    side.subscriber(2, "alice@isp.example", "wonderland").start();
    expect(await world.until(() => stopped, 3000)).toBe(true);
    expect(node.records.map(({ user }) => user)).toEqual(["bob"]);
  });
});

describe("a user who authenticates again", () => {
  it("on a session that is open needs the right password again", async () => {
    const { node, side } = await pta();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 1000);
    await world.pass(100);
    const { pppoeSessionId } = node.views.sessions()[0]!.origin as { pppoeSessionId: number };
    // somebody with the same MAC address takes his session over: LCP from the start, with another password
    side.takeOver(alice, pppoeSessionId, "alice@isp.example", "guess");
    await world.pass(10_000);
    expect(node.records).toMatchObject([
      { cause: "refused", reason: expect.stringContaining("wrong user name") },
    ]);
    expectEmpty(node);
  });
});

describe("a fixed address", () => {
  it("is the last caller's when three log in while devices are slow to go", async () => {
    const { node, side } = await pta(50);
    const callers = [1, 2, 3].map((n) => side.subscriber(n, "bob", "builder"));
    callers[0]!.start();
    await world.until(() => side.online.has(callers[0]!), 5000);
    callers[1]!.start();
    await world.pass(5);
    callers[2]!.start();
    await world.pass(10_000);
    expect([...side.online.keys()]).toEqual([callers[2]]);
    expect(node.views.sessions()).toMatchObject([{ user: "bob", state: "open", address: "100.64.0.200" }]);
  });
});

describe("a shared device that somebody removes", () => {
  it("is made again, and its subscribers get in again", async () => {
    world = new World(4);
    const yaml = PTA_YAML.replace('name: "sub%d"', "mode: shared, name: subs");
    const { node, side } = await startAlone(world, yaml, USERS_YAML);
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 1000);
    await world.pass(10);
    node.dataplane.loseUnit(node.dataplane.units.get("subs")!, "its device was deleted");
    await world.until(() => side.offline.has(alice), 10_000);
    const again = side.subscriber(2, "alice@isp.example", "wonderland");
    again.start();
    expect(await world.until(() => side.online.has(again), 5000)).toBe(true);
  });
});

describe("a data plane that fails", () => {
  it("makes the gateway ask to be stopped, and say why", async () => {
    const { node } = await pta();
    node.dataplane.fail("forwarding thread 0: out of memory");
    expect(node.failures).toEqual(["forwarding thread 0: out of memory"]);
    expect(node.log.at(-1)).toMatchObject({ level: "error", reason: "forwarding thread 0: out of memory" });
  });
});

describe("what an interface of small MTU carries", () => {
  it("is what subscribers are offered", async () => {
    world = new World(3);
    const node = new Node(world, "10.0.0.2", PTA_YAML, USERS_YAML);
    node.host.announce({
      kind: "link",
      link: {
        ifindex: 1,
        name: "acc0",
        flags: 0,
        up: true,
        operState: "up",
        mtuBytes: 1400,
        mac: Uint8Array.of(2, 0, 0, 0, 0, 0xac),
      },
    });
    const side = new SubscriberSide(world);
    wireEthernet(side, node);
    await side.open();
    await node.gateway.start();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 1000);
    expect(side.online.get(alice)?.mtuBytes).toBe(1392);
  });
});
