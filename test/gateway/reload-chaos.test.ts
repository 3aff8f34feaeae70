import { expect, it } from "vitest";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import type { ReloadReport } from "../../src/gateway/reload.ts";
import { LNS_YAML } from "../support/configurations.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { type Node, type SubscriberSide, startPair, World } from "../support/world.ts";

const USERS = `
- { name: alice@isp.example, password: pw }
- { name: bob@home.example, password: pw }
- { name: carol@office.example, password: pw }
- { name: dave@office.example, password: pw, address: 100.65.0.200 }
`;
const NAMES = ["alice@isp.example", "bob@home.example", "carol@office.example", "dave@office.example"];
const ROUNDS = 6;

/** One of the texts, by the dice. */
type Pick = (...texts: readonly string[]) => string;

/** Carries isp.example to an LNS, and terminates the others on devices of their own and on a shared one. */
function lacYaml(pick: Pick): string {
  const peer = [
    "name: lns, address: 10.0.0.11, secret: tunnel-secret",
    pick("", ", dscp: 46"),
    pick("", ", max-sessions: 1"),
    pick("", ", hello-interval: 10s"),
    pick("", ", local-host-name: lac"),
  ].join("");
  const access = `interface: ${pick("acc0", "acc0", "acc0", "acc7")}${pick("", ", service-names: ['', x]")}${pick("", ", mru: 1480")}`;
  const office = pick("100.65.0.0/24", "100.65.0.0-100.65.0.99", "[100.65.0.0/24, 100.65.1.0/24]");
  // what the one has had, the other may get
  const home = pick(
    "100.64.0.0/24",
    "100.64.1.0/24",
    office.includes("65.1") ? "100.64.2.0/24" : "100.65.1.0/24",
  );
  return `
name: lac
access: [{ ${access}, sessions-per-mac: 1 }]
l2tp:
  listen: [{ address: 10.0.0.2${pick("", "", "", ", port: 1702")} }]
  peers: ${pick("y", "y", "y", "n") === "y" ? `[{ ${peer} }]` : "[{ name: lns, address: 10.0.0.99 }]"}
realms:
  isp.example: { lns: lns }
  ${pick("home.example: { terminate: home }", "home.example: { terminate: home, idle-timeout: 8h }")}
  office.example: { terminate: office }
units:
  home: { name: "${pick("sub", "dev")}%d", address: 100.64.0.1, pool: ${home} }
  office: { mode: shared, name: ${pick("office", "office", "office", "bureau")}, address: 100.65.0.1, pool: ${office} }
users-file: users.yaml
`;
}

function open({ views }: Node): string[] {
  return views
    .sessions()
    .filter(({ state }) => state === "open")
    .map(({ id }) => id);
}

async function call(world: World, side: SubscriberSide, number: number): Promise<Subscriber> {
  const subscriber = side.subscriber(number, NAMES[number % NAMES.length]!, "pw");
  subscriber.start();
  await world.until(() => side.online.has(subscriber) || side.offline.has(subscriber), 3_000);
  return subscriber;
}

it("whatever changes, sessions end that the plan counts, the others go on, and nothing is left at the end", async () => {
  let ended = 0;
  let kept = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const dice = seededRandom(seed);
    const pick: Pick = (...texts) => texts[dice.uint32() % texts.length]!;
    const world = new World(seed);
    const first = lacYaml((text) => text!);
    const { lac, side } = await startPair(world, first, LNS_YAML, USERS);
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < NAMES.length; i++) await call(world, side, round * NAMES.length + i + 1);
      await world.pass(100);
      const before = open(lac);
      const records = lac.records.length;
      const next = world.config(round === ROUNDS - 1 ? first : lacYaml(pick), USERS);
      const { changes, endingSessions } = lac.gateway.planReload(next);
      let report: ReloadReport | undefined;
      void lac.gateway.reload(next).then((done) => {
        report = done;
      });
      expect(await world.until(() => report !== undefined, 20_000)).toBe(true);
      expect([seed, round, report]).toEqual([seed, round, { changes, endingSessions, problems: [] }]);
      expect(lac.gateway.planReload(next).changes).toEqual([]);
      // longer than three echoes that nobody answers
      await world.pass(150_000);
      const after = open(lac);
      const byReload = lac.records.slice(records).filter(({ cause }) => cause === "operator");
      expect([seed, round, byReload.length]).toEqual([seed, round, endingSessions]);
      const survivors = before.filter((id) => !byReload.some(({ session }) => session === id));
      expect([seed, round, survivors.filter((id) => !after.includes(id))]).toEqual([seed, round, []]);
      ended += endingSessions;
      kept += survivors.length;
    }
    // it is the configuration that it began with: everybody gets in
    for (let i = 0; i < NAMES.length; i++)
      expect([seed, i, side.online.has(await call(world, side, 100 + i))]).toEqual([seed, i, true]);
    const addresses = lac.views.sessions().flatMap(({ address }) => address ?? []);
    expect(new Set(addresses).size).toBe(addresses.length);
    let stopped = false;
    void lac.gateway.stop("test").then((done) => {
      stopped = done;
    });
    expect(await world.until(() => stopped, 5_000)).toBe(true);
    expect(lac.openFramePorts).toBe(0);
    expect(lac.log.filter(({ level }) => level === "error")).toEqual([]);
  }
  expect(ended).toBeGreaterThan(10);
  expect(kept).toBeGreaterThan(100);
});
