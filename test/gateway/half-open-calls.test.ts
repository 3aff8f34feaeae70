import { beforeEach, describe, expect, it } from "vitest";
import { LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { L2tpPeer, wireHosts } from "../support/l2tp-peer.ts";
import { Node, World } from "../support/world.ts";

const LIMIT = 20;
const CALLS = 200;
const SETUP_MS = 60_000;

describe("a LAC that sends ICRQ after ICRQ and never an ICCN", () => {
  let world: World;
  let lns: Node;
  let lac: L2tpPeer;
  let tunnel: number;
  let sessions: number[];

  beforeEach(async () => {
    world = new World(81);
    const yaml = LNS_YAML.replace("role: lac", `role: lac, max-sessions: ${LIMIT}`);
    lns = new Node(world, "10.0.0.11", yaml, USERS_YAML);
    lac = new L2tpPeer(world, "10.0.0.2", "lac", { secret: "tunnel-secret" }, lns.address);
    wireHosts(world, [lns, lac]);
    await lns.gateway.start();
    tunnel = lac.openTunnel();
    sessions = Array.from({ length: CALLS }, () => lac.placeCall(tunnel, { callSerialNumber: 1 }));
    await world.pass(1000);
  });

  const refusals = () => lac.all("session-down").map(({ cause }) => cause);

  it("has as many calls half-open as its tunnel may have sessions, and the others are refused at once", () => {
    expect(lac.all("call-accepted")).toHaveLength(LIMIT);
    expect(refusals()).toHaveLength(CALLS - LIMIT);
    for (const cause of refusals()) expect(cause).toMatchObject({ by: "peer", result: 4 });
    expect(lns.views.sessions()).toHaveLength(LIMIT);
  });

  it("loses them when the time for a set-up is over, and nothing is left of them", async () => {
    await world.pass(SETUP_MS + 5000);
    expect(lns.views.sessions()).toEqual([]);
    expect(refusals()).toHaveLength(CALLS);
    expect(lns.views.tunnels()).toMatchObject([{ sessions: 0 }]);
    expect(lns.views.channels()).toEqual([]);
    // the places are free: who means it gets in
    const session = lac.placeCall(tunnel, { callSerialNumber: 2 });
    await world.pass(100);
    expect(lac.all("call-accepted").map((accepted) => accepted.session)).toContain(session);
  });

  it("has room for another call as soon as it gives one up itself", async () => {
    const [given] = lac.all("call-accepted").map(({ session }) => session);
    lac.do((endpoint, now) => endpoint.closeSession(now, tunnel, given!, { result: 3 }));
    await world.pass(100);
    lac.placeCall(tunnel, { callSerialNumber: 2 });
    await world.pass(100);
    expect(lac.all("call-accepted")).toHaveLength(LIMIT + 1);
    expect(lns.views.sessions()).toHaveLength(LIMIT);
    expect(sessions).toContain(given);
  });
});
