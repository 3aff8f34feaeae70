import { describe, expect, it } from "vitest";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import { readDiscoveryFrame } from "../../src/pppoe/discovery-frame.ts";
import { PADT } from "../../src/wire/pppoe.ts";
import { findTextTag, TAG_GENERIC_ERROR } from "../../src/wire/pppoe-tags.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { type Pair, startPair, World } from "../support/world.ts";

const LIMITED_YAML = `${LAC_YAML}
default: { terminate: local, DESTINATION }
units: { local: { name: "loc%d", address: 100.65.0.1, pool: 100.65.0.0/24 } }
users-file: users.yaml
`;

/** Everything that can be done to Bob, who is terminated by the gateway that he calls, or to Alice, who goes to the LNS. */
interface Scene extends Pair {
  readonly world: World;
  readonly bob: Subscriber;
  readonly alice: Subscriber;
  /** From now on nothing arrives from the subscribers. */
  cut(): void;
}

interface Case {
  readonly text: string;
  readonly cause: string;
  readonly destination?: string;
  readonly password?: string;
  act?(scene: Scene): Promise<unknown>;
}

const CASES: Readonly<Record<string, Case>> = {
  "a wrong password": { text: "authentication failed", cause: "refused", password: "guess" },
  "an LNS that does not answer": {
    text: "no service at the moment",
    cause: "no-lns",
    act: async ({ world, lac, alice }) => {
      lac.onDatagram = () => {};
      alice.start();
      await world.pass(40_000);
    },
  },
  "an LNS that is gone in the middle of a session": {
    text: "ended by the network",
    cause: "lns-ended",
    act: async ({ world, lns, side, alice }) => {
      alice.start();
      await world.until(() => side.online.has(alice), 5000);
      lns.onDatagram = () => {};
      await world.pass(120_000);
    },
  },
  "a newer login of the same user": {
    text: "replaced by a newer session",
    cause: "replaced",
    act: async ({ world, side, bob }) => {
      bob.start();
      await world.until(() => side.online.has(bob), 5000);
      side.subscriber(3, "bob", "builder").start();
      await world.pass(1000);
    },
  },
  "a subscriber who has gone without a word": {
    text: "no answer",
    cause: "silent",
    act: async ({ world, side, bob, cut }) => {
      bob.start();
      await world.until(() => side.online.has(bob), 5000);
      cut();
      await world.pass(200_000);
    },
  },
  "no packet for too long": {
    text: "idle for too long",
    cause: "idle",
    destination: "idle-timeout: 1m",
    act: online,
  },
  "a session that has lasted long enough": {
    text: "the session's time is over",
    cause: "session-timeout",
    destination: "session-timeout: 1m",
    act: online,
  },
  "a gateway that is stopped": {
    text: "the access concentrator is going down",
    cause: "shutdown",
    act: async ({ world, lac, side, bob }) => {
      bob.start();
      await world.until(() => side.online.has(bob), 5000);
      void lac.gateway.stop("upgrade");
      await world.pass(20_000);
    },
  },
};

async function online({ world, bob }: Scene): Promise<void> {
  bob.start();
  await world.pass(100_000);
}

describe("what a subscriber's PADT says", () => {
  it.each(Object.entries(CASES))("after %s", async (_, { text, cause, destination, password, act }) => {
    const world = new World(91);
    const pair = await startPair(
      world,
      LIMITED_YAML.replace(", DESTINATION", destination === undefined ? "" : `, ${destination}`),
      LNS_YAML,
      USERS_YAML,
    );
    const { lac, side } = pair;
    const said: (string | undefined)[] = [];
    const toSubscribers = lac.onEthernet;
    lac.onEthernet = (bytes) => {
      const frame = readDiscoveryFrame(bytes);
      if (typeof frame !== "string" && frame.packet.code === PADT)
        said.push(findTextTag(frame.packet.tags, TAG_GENERIC_ERROR));
      toSubscribers(bytes);
    };
    const bob = side.subscriber(1, "bob", password ?? "builder");
    const alice = side.subscriber(2, "alice@isp.example", "wonderland");
    const cut = () => {
      side.onEthernet = () => {};
    };
    if (act === undefined) {
      bob.start();
      await world.pass(5000);
    } else await act({ ...pair, world, bob, alice, cut });
    expect(said).toEqual([text]);
    expect(lac.records).toMatchObject([{ cause }]);
  });
});
