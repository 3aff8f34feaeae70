/** How a gateway ends: politely when it is asked to, and without stranding anyone when it is killed. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { PPP_LCP } from "../../src/wire/ppp.ts";
import { TERMINATE_REQUEST } from "../../src/wire/ppp-control.ts";
import { PADT } from "../../src/wire/pppoe.ts";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { controlMessageOf, controlOf, discoveryOf, pppOf } from "../support/frames.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { ping } from "../support/ping.ts";
import {
  createSite,
  lacConfig,
  lnsConfig,
  PASSWORD,
  ptaConfig,
  type Site,
  secretFiles,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";
import { Wire } from "../support/wire.ts";

const CALLS = 10;
/** u1@isp.example to u10@isp.example go to the LNS. */
const MANY = { user: "u%d@isp.example", password: PASSWORD, count: CALLS } as const;
const LOCAL = { user: "here@local.example", password: PASSWORD } as const;
const FILES = secretFiles(LOCAL.user, ...Array.from({ length: CALLS }, (_, i) => `u${i + 1}@isp.example`));
const STOP_LIMIT_MS = 3000;

/** A LAC that terminates local.example itself. */
const LAC_AND_PTA = lacConfig({
  more: [
    "  local.example: { terminate: local }",
    "users-file: users.yaml",
    "units:",
    "  local: { name: ppp%d, address: 100.65.0.1, pool: 100.65.0.0/24 }",
  ],
});

const terminateRequests = (wire: Wire): number[] =>
  wire.all((frame) =>
    controlOf(frame, PPP_LCP)?.code === TERMINATE_REQUEST ? pppOf(frame)?.sessionId : undefined,
  );
const padts = (wire: Wire): number[] =>
  wire.all((frame) => (discoveryOf(frame)?.code === PADT ? discoveryOf(frame)?.sessionId : undefined));
const messages = (wire: Wire, kind: "StopCCN" | "CDN") =>
  wire.all((frame) => {
    const message = controlMessageOf(frame);
    return message?.kind === kind ? message : undefined;
  });
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

describe.skipIf(!isRoot)("a gateway that ends", () => {
  let site: Site;
  /** What arrives at the subscriber's device, and at either end of the core link. */
  let access: Wire;
  let fromLac: Wire;
  let fromLns: Wire;
  const gateways: GatewayProcess[] = [];
  const dials: DialProcess[] = [];

  const startBoth = async (): Promise<readonly [GatewayProcess, GatewayProcess]> => {
    const both = await Promise.all([
      GatewayProcess.start(site.lac, LAC_AND_PTA, FILES),
      GatewayProcess.start(site.lns, lnsConfig(), FILES),
    ]);
    gateways.push(...both);
    return both;
  };
  const call = (words: ConstructorParameters<typeof DialProcess>[1]): DialProcess => {
    const dial = new DialProcess(site.subscriber, words);
    dials.push(dial);
    return dial;
  };

  beforeAll(async () => {
    site = createSite();
    [access, fromLac, fromLns] = await Promise.all([
      Wire.open(site.subscriber, "sub0"),
      Wire.open(site.lns, "core0"),
      Wire.open(site.lac, "core0"),
    ]);
  });

  afterEach(async () => {
    for (const dial of dials.splice(0)) await dial.kill();
    for (const gateway of gateways.splice(0)) await gateway.close();
    for (const wire of [access, fromLac, fromLns]) wire.clear();
  });

  afterAll(async () => {
    for (const wire of [access, fromLac, fromLns]) await wire?.close();
    site?.close();
  });

  it("on SIGTERM tells subscribers by LCP where it terminates, all by PADT, and each LNS by one StopCCN", async () => {
    const [lac, lns] = await startBoth();
    const many = call(MANY);
    const local = call(LOCAL);
    await Promise.all([many.hasOnline(CALLS), local.hasOnline(1), lns.hasSessions(CALLS)]);
    for (const wire of [access, fromLac, fromLns]) wire.clear();

    const exit = await lac.stop();
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.tookMs).toBeLessThan(STOP_LIMIT_MS);

    const localId = local.ups()[0]!.pppoeSessionId;
    const bridged = many.ups().map(({ pppoeSessionId }) => pppoeSessionId);
    // who has got the Terminate-Request may be quicker with a PADT of his own than we are: then he gets none
    const told = (): readonly number[] => padts(access).filter((id) => id !== localId);
    await Promise.all([many.exited, local.exited, lns.hasSessions(0)]);
    await eventually("every PADT to be captured", () => told().length >= bridged.length);
    expect(terminateRequests(access)).toEqual([localId]);
    expect(sorted(told())).toEqual(sorted(bridged));
    expect(messages(fromLac, "StopCCN")).toMatchObject([{ resultCode: { result: 6 } }]);
    expect(messages(fromLac, "CDN")).toEqual([]);
    const records = lac.log().filter(({ msg }) => msg === "session ended");
    expect(records.map(({ cause }) => cause)).toEqual(Array(CALLS + 1).fill("shutdown"));
    expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
  });

  it("on SIGTERM of an LNS ends PPP with every subscriber and tells the LAC by one StopCCN", async () => {
    const [lac, lns] = await startBoth();
    const many = call(MANY);
    await Promise.all([many.hasOnline(CALLS), lns.hasSessions(CALLS)]);
    for (const wire of [access, fromLac, fromLns]) wire.clear();

    const exit = await lns.stop();
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.tookMs).toBeLessThan(STOP_LIMIT_MS);

    const ids = many.ups().map(({ pppoeSessionId }) => pppoeSessionId);
    await Promise.all([many.exited, lac.hasSessions(0)]);
    await eventually(
      "every Terminate-Request to be captured",
      () => terminateRequests(access).length >= ids.length,
    );
    expect(sorted(terminateRequests(access))).toEqual(sorted(ids));
    expect(messages(fromLns, "StopCCN")).toMatchObject([{ resultCode: { result: 6 } }]);
    expect(messages(fromLns, "CDN")).toEqual([]);
    expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
  });

  it("on SIGTERM ends in time though neither subscribers nor LNS answer any more", async () => {
    const [lac, lns] = await startBoth();
    const many = call(MANY);
    const local = call(LOCAL);
    await Promise.all([many.hasOnline(CALLS), local.hasOnline(1)]);
    for (const dial of [many, local]) await dial.kill();
    await lns.kill();
    const exit = await lac.stop();
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.tookMs).toBeLessThan(STOP_LIMIT_MS);
  });

  it("after a crash tells subscribers of the past by PADT, so that they call again, with other ids", async () => {
    const pta = await GatewayProcess.start(site.lac, ptaConfig(), FILES);
    gateways.push(pta);
    const stranded = call({ ...LOCAL, device: "each" });
    const before = await stranded.up();
    await pta.kill();
    await pta.startAgain();
    // the CPE's next frame of the session is a packet
    const lost = ping(site.subscriber, { to: "100.64.0.1", count: 1, patienceSeconds: 0.2 });
    await stranded.exited;
    await lost;
    expect(padts(access)).toEqual([before.pppoeSessionId]);
    const again = await call(LOCAL).up();
    expect(again.pppoeSessionId).not.toBe(before.pppoeSessionId);
    expect(pta.complaints()).toEqual([]);
  });

  it("after a crash of the LAC, calls get through the same LNS with other ids", async () => {
    const [lac, lns] = await startBoth();
    const stranded = call({ ...MANY, count: 1 });
    await stranded.up();
    const [before] = await lac.show("tunnels");
    await lac.kill();
    await lac.startAgain();
    const again = call({ ...MANY, count: 1 });
    await again.up();
    const [after] = await lac.show("tunnels");
    expect(after?.localTunnelId).not.toBe(before?.localTunnelId);
    await eventually("the LNS has a session in the new tunnel", async () =>
      (await lns.show("tunnels")).some(
        ({ remoteTunnelId, sessions }) => remoteTunnelId === after?.localTunnelId && sessions === 1,
      ),
    );
    expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
  });
});
