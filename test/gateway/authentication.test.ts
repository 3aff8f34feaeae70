import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { emitLcp } from "../../src/wire/lcp.ts";
import { emitPpp, PPP_LCP } from "../../src/wire/ppp.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { type Pair, startAlone, startPair, World } from "../support/world.ts";

let world: World;

/** A LAC and an LNS that ask for these methods, and that LNS's policy of proxied LCP. */
async function start(lac: string, lns: string, proxy = "accept"): Promise<Pair> {
  world = new World(11);
  return startPair(
    world,
    LAC_YAML.replace("interface: acc0", `interface: acc0, authentication: [${lac}]`),
    LNS_YAML.replace("role: lac", `role: lac, authentication: [${lns}], proxy: ${proxy}`),
    USERS_YAML,
  );
}

async function call(pair: Pair, password = "wonderland") {
  const alice = pair.side.subscriber(1, "alice@isp.example", password);
  alice.start();
  await world.until(() => pair.side.online.has(alice) || pair.side.offline.has(alice), 30_000);
  await world.pass(100);
  return { online: pair.side.online.has(alice), offline: pair.side.offline.get(alice) };
}

describe("a subscriber with MS-CHAPv2", () => {
  it("is challenged by the LAC for his name and by the LNS for his password, and gets online", async () => {
    const pair = await start("ms-chap-v2", "ms-chap-v2");
    expect(await call(pair)).toEqual({ online: true, offline: undefined });
    expect(pair.lns.views.sessions()).toMatchObject([{ user: "alice@isp.example", state: "open" }]);
  });

  it("is told by the LNS that his password is wrong", async () => {
    const pair = await start("ms-chap-v2", "ms-chap-v2");
    expect((await call(pair, "looking-glass")).offline).toContain("wrong user name or password");
    expect(pair.lns.records).toMatchObject([{ cause: "refused" }]);
  });
});

describe("a LAC and an LNS that ask for different methods", () => {
  it.each([
    ["ms-chap-v2", "chap"],
    ["pap", "ms-chap-v2"],
    ["chap", "pap"],
  ])("have the subscriber begin anew when the LAC asks for %s and the LNS for %s", async (lac, lns) => {
    const pair = await start(lac, lns);
    expect(await call(pair)).toEqual({ online: true, offline: undefined });
    expect(pair.lac.records).toEqual([]);
  });

  it.each([
    ["ms-chap-v2", "chap"],
    ["pap", "ms-chap-v2"],
    ["chap", "pap"],
  ])("get along with %s instead of %s when the LNS never begins anew", async (lac, lns) => {
    const pair = await start(lac, lns, "never");
    expect(await call(pair)).toEqual({ online: true, offline: undefined });
  });
});

describe("a CPE that identifies itself", () => {
  it("is named in its session's last line", async () => {
    world = new World(12);
    const { node, side } = await startAlone(
      world,
      `
name: pta
access: [{ interface: acc0 }]
default: { terminate: local }
units:
  local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 }
users-file: users.yaml
`,
      USERS_YAML,
    );
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    expect(await world.until(() => side.online.has(alice), 5_000)).toBe(true);
    const { pppoeSessionId } = side.online.get(alice)!;
    const again = side.takeOver(alice, pppoeSessionId, "alice@isp.example", "wonderland");
    const message = utf8("Example CPE 1.2");
    again.send(emitPpp(PPP_LCP, emitLcp({ kind: "identification", identifier: 1, magic: 0, message })));
    expect(await world.until(() => again.outputs.some(({ kind }) => kind === "network-up"), 5_000)).toBe(
      true,
    );
    alice.giveUp();
    expect(await world.until(() => node.records.length > 0, 5_000)).toBe(true);
    expect(node.records).toMatchObject([{ user: "alice@isp.example", identification: "Example CPE 1.2" }]);
  });
});
