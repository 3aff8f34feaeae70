import { describe, expect, it } from "vitest";
import { fromUtf8, utf8 } from "../../src/base/bytes.ts";
import type { CallConnection, CallRequest } from "../../src/l2tp/outputs.ts";
import type { RelayedAvp } from "../../src/wire/l2tp-messages.ts";
import { L2tpPeer, wireHosts } from "../support/l2tp-peer.ts";
import { LNS_ADDRESS, SWITCH_ADDRESS, type SwitchOptions, switchYaml } from "../support/switch-field.ts";
import { Node, World } from "../support/world.ts";

/** MRU 1492, authentication by PAP, a magic number. */
const SENT_LCP = Uint8Array.of(1, 4, 5, 212, 3, 4, 0xc0, 0x23, 5, 6, 1, 2, 3, 4);
/** MRU 1492, another magic number. */
const RECEIVED_LCP = Uint8Array.of(1, 4, 5, 212, 5, 6, 9, 8, 7, 6);
const PROXY_AUTH = { type: 3, name: utf8("alice@isp.example"), id: 7, response: utf8("wonderland") };

const VENDOR: RelayedAvp = { vendor: 9, type: 100, mandatory: false, value: utf8("nas-port") };
const CIRCUIT: RelayedAvp = { vendor: 3561, type: 1, mandatory: true, value: utf8("dslam 1/2") };
const FUTURE: RelayedAvp = { vendor: 0, type: 700, mandatory: false, value: Uint8Array.of(1) };

const REQUEST: CallRequest = {
  callSerialNumber: 4711,
  bearerType: 2,
  physicalChannelId: 0x01020304,
  callingNumber: "0815",
  calledNumber: "0190",
  subAddress: "sub",
  connectSpeedUpdate: true,
  avps: [VENDOR, CIRCUIT, FUTURE],
};

const CONNECTION: CallConnection = {
  txConnectSpeed: 50_000_000,
  rxConnectSpeed: 10_000_000,
  framingType: 2,
  proxyLcp: { initialReceived: RECEIVED_LCP, lastSent: SENT_LCP, lastReceived: RECEIVED_LCP },
  proxyAuth: PROXY_AUTH,
  privateGroupId: "vpn7",
  sequencingRequired: true,
  avps: [VENDOR],
};

interface Scene {
  readonly world: World;
  readonly lts: Node;
  readonly lac: L2tpPeer;
  readonly lns: L2tpPeer;
  /** Ids of the call at the LAC's and at the LNS's end. */
  readonly atLac: readonly [tunnel: number, session: number];
  readonly atLns: readonly [tunnel: number, session: number];
  readonly request: CallRequest;
  readonly connection: CallConnection;
}

interface SceneOptions extends SwitchOptions {
  readonly lacHides?: boolean;
  readonly call?: Partial<CallRequest>;
  readonly connect?: Partial<CallConnection>;
  /** After ICCN, while the LNS has not answered ICRQ. */
  readonly meanwhile?: (lac: L2tpPeer) => void;
}

/** A call from a LAC through the switch to LNS "a", which accepts it; neither of them is a gateway. */
async function scene(sceneOptions: SceneOptions = {}): Promise<Scene> {
  const { lacHides = false, call, connect, meanwhile, ...options } = sceneOptions;
  const world = new World(51);
  const lts = new Node(world, SWITCH_ADDRESS, switchYaml({ to: "lns: a", ...options }));
  const lac = new L2tpPeer(
    world,
    "10.0.0.2",
    "lac",
    { secret: "lac-secret", hideAvps: lacHides },
    SWITCH_ADDRESS,
  );
  const lns = new L2tpPeer(world, LNS_ADDRESS.a, "isp", { secret: "tunnel-secret", accept: true });
  wireHosts(world, [lts, lac, lns]);
  await lts.gateway.start();
  const tunnel = lac.openTunnel();
  const session = lac.placeCall(tunnel, { ...REQUEST, ...call });
  await world.until(() => lac.all("call-accepted").length === 1, 1000);
  lac.do((endpoint, now) => endpoint.connectCall(now, tunnel, session, { ...CONNECTION, ...connect }));
  await world.until(() => lns.all("call-offered").length === 1, 1000);
  const offered = lns.one("call-offered");
  meanwhile?.(lac);
  await world.pass(10);
  lns.do((endpoint, now) => endpoint.acceptCall(now, offered.tunnel, offered.session));
  await world.until(() => lns.all("call-connected").length === 1, 1000);
  return {
    world,
    lts,
    lac,
    lns,
    atLac: [tunnel, session],
    atLns: [offered.tunnel, offered.session],
    request: offered.call,
    connection: lns.one("call-connected").connection,
  };
}

/** "vendor/type" of what a message had. */
function typesOf({ avps }: { readonly avps?: readonly RelayedAvp[] }): string[] {
  return (avps ?? []).map(({ vendor, type }) => `${vendor}/${type}`);
}

function avp({ avps }: { readonly avps?: readonly RelayedAvp[] }, vendor: number, type: number) {
  return avps?.find((each) => each.vendor === vendor && each.type === type);
}

describe("the AVPs of a call that is switched", () => {
  it("go on as they came, by default", async () => {
    const { request, connection } = await scene();
    expect(request).toMatchObject({
      bearerType: 2,
      physicalChannelId: 0x01020304,
      callingNumber: "0815",
      calledNumber: "0190",
      subAddress: "sub",
      connectSpeedUpdate: true,
      accessLine: { agentCircuitId: "dslam 1/2" },
    });
    expect(request.callSerialNumber).not.toBe(4711);
    // the line's without the M bit, by which an LNS that does not know them would refuse the call
    expect(avp(request, 3561, 1)).toMatchObject({ mandatory: false });
    expect(avp(request, 9, 100)).toEqual(VENDOR);
    expect(avp(request, 0, 700)).toEqual(FUTURE);
    expect(connection).toMatchObject({
      txConnectSpeed: 50_000_000,
      rxConnectSpeed: 10_000_000,
      framingType: 2,
      proxyLcp: CONNECTION.proxyLcp,
      proxyAuth: PROXY_AUTH,
      privateGroupId: "vpn7",
    });
    expect(avp(connection, 9, 100)).toEqual(VENDOR);
    // the onward leg has its own policy
    expect(connection.sequencingRequired).toBeUndefined();
    for (const types of [typesOf(request), typesOf(connection)])
      expect(new Set(types).size).toBe(types.length);
  });

  it("are left out where the policy says drop", async () => {
    const names = [
      "bearer-type",
      "calling-number",
      "called-number",
      "sub-address",
      "physical-channel-id",
      "rx-connect-speed",
      "connect-speed-update",
      "access-line",
      "proxy-lcp",
      "proxy-authentication",
      "private-group-id",
      "other",
    ];
    const lnsPeer = `switch-avps: { ${names.map((name) => `${name}: drop`).join(", ")} }`;
    const { request, connection } = await scene({ lnsPeer });
    // call serial number; Tx Connect Speed and Framing Type
    expect(typesOf(request)).toEqual(["0/15"]);
    expect(typesOf(connection).sort()).toEqual(["0/19", "0/24"]);
  });

  it("are made anew where the policy says regenerate", async () => {
    const names = [
      "bearer-type",
      "calling-number",
      "tx-connect-speed",
      "rx-connect-speed",
      "connect-speed-update",
    ];
    const avps = `switch-avps: { ${names.map((name) => `${name}: regenerate`).join(", ")} }`;
    const own = 'connect-speed: 8M, calling-number: "{name}:{circuit-id}"';
    const { request, connection } = await scene({ lnsPeer: `${own}, ${avps}` });
    expect(request).toMatchObject({ bearerType: 1, callingNumber: "switch:dslam 1/2" });
    expect(request.connectSpeedUpdate).toBeUndefined();
    expect(connection).toMatchObject({ txConnectSpeed: 8_000_000, rxConnectSpeed: 8_000_000 });
  });

  it("say that sequence numbers are required where the LAC says so and the policy is relay", async () => {
    const relayed = await scene({ lnsPeer: "switch-avps: { sequencing-required: relay }" });
    expect(relayed.connection.sequencingRequired).toBe(true);
    relayed.lac.sendPpp(REQUEST_LCP);
    await relayed.world.pass(10);
    expect(pppOf(relayed.lns)).toEqual([{ protocol: 0xc021, numbered: true }]);
    const own = await scene({ lnsPeer: "sequencing: required", connect: { sequencingRequired: false } });
    expect(own.connection.sequencingRequired).toBe(true);
  });

  it("do not go on with the M bit where we have only put up with it", async () => {
    const odd: RelayedAvp = { vendor: 9, type: 101, mandatory: true, value: Uint8Array.of(1) };
    const { request } = await scene({
      lacPeer: "unknown-mandatory-avp: ignore",
      call: { avps: [odd, VENDOR] },
    });
    expect(typesOf(request)).toContain("9/100");
    expect(typesOf(request)).not.toContain("9/101");
  });

  it("keep the line from an LNS that is to know nothing of lines", async () => {
    const { request } = await scene({ lnsPeer: "access-line-avps: false" });
    expect(request.accessLine).toBeUndefined();
  });

  it("are hidden from the LNS where the LAC does not hide them, only by the LNS's policy", async () => {
    const clear = await scene();
    expect([...clear.lns.hiddenOnWire]).toEqual([]);
    const hidden = await scene({ lnsPeer: "hide-avps: true" });
    expect(hidden.lns.hiddenOnWire).toContain("0/33");
  });

  it.each(["hide-avps: false", "hide-avps: true"])(
    "are opened where the LAC hides them, and hidden again (%s)",
    async (lnsPeer) => {
      const hidden = await scene({ lacHides: true, lnsPeer });
      expect(hidden.request).toMatchObject({
        callingNumber: "0815",
        accessLine: { agentCircuitId: "dslam 1/2" },
      });
      expect(fromUtf8(hidden.connection.proxyAuth?.response ?? new Uint8Array())).toBe("wonderland");
      // Calling Number, the line, the unknown ones, LCP, name, password and group
      for (const type of ["0/22", "3561/1", "9/100", "0/700", "0/27", "0/30", "0/33", "0/37"])
        expect(hidden.lns.hiddenOnWire).toContain(type);
    },
  );
});

const REQUEST_LCP = Uint8Array.of(0xc0, 0x21, 1, 1, 0, 4);
const REQUEST_PAP = Uint8Array.of(0xc0, 0x23, 1, 7, 0, 6, 0, 0);

/** What follows FF03 in the data messages that an L2TP peer got; and whether they have sequence numbers. */
function pppOf({ data }: L2tpPeer): { protocol: number; numbered: boolean }[] {
  return data.map((message) => {
    const at = message.findIndex((octet, i) => octet === 0xff && message[i + 1] === 3) + 2;
    const protocol = (message[at]! << 8) | message[at + 1]!;
    return { protocol, numbered: (message[0]! & 0x08) !== 0 };
  });
}

describe("what a subscriber says while his call is on its way", () => {
  const speak = (lac: L2tpPeer): void => {
    lac.sendPpp(REQUEST_PAP);
    for (let i = 0; i < 20; i++) lac.sendPpp(REQUEST_LCP);
  };

  it("is kept for the LNS, as much as a little, but for what ICCN has said already", async () => {
    const { world, lns } = await scene({ meanwhile: speak });
    await world.pass(100);
    expect(pppOf(lns)).toEqual(Array(7).fill({ protocol: 0xc021, numbered: false }));
  });

  it("is all kept where ICCN says nothing of him, and sent with numbers where they are required", async () => {
    const { world, lts, lns } = await scene({
      lacPeer: "destination: { lns: a }",
      lnsPeer: "sequencing: required",
      connect: { proxyLcp: {}, proxyAuth: { type: 4 } },
      meanwhile: speak,
    });
    await world.pass(100);
    expect(pppOf(lns).map(({ protocol }) => protocol)).toEqual([0xc023, ...Array(7).fill(0xc021)]);
    expect(pppOf(lns).every(({ numbered }) => numbered)).toBe(true);
    expect(lts.views.sessions()).toMatchObject([{ role: "lts", user: null, state: "open" }]);
  });

  it("is said again to an LNS that has not listened to ICCN, where its policy is replay", async () => {
    const { world, lns } = await scene({ lnsPeer: "replay-authentication: always" });
    expect(lns.data).toEqual([]);
    await world.pass(1500);
    expect(pppOf(lns)).toEqual([{ protocol: 0xc023, numbered: false }]);
    expect(fromUtf8(lns.data[0]!)).toContain("alice@isp.example");
  });
});

describe("what the ends of a switched call tell each other", () => {
  it("goes on: ACCMs and requests for speeds to the LAC, errors and new speeds to the LNS", async () => {
    const { world, lac, lns, atLac, atLns } = await scene();
    const info = { sendAccm: 0xffff_ffff, receiveAccm: 0x000a_0000 };
    const errors = {
      crcErrors: 1,
      framingErrors: 2,
      hardwareOverruns: 3,
      bufferOverruns: 4,
      timeoutErrors: 5,
      alignmentErrors: 6,
    };
    lns.do((endpoint, now) => endpoint.sendLinkInfo(now, ...atLns, info));
    lns.do((endpoint, now) => endpoint.requestSpeeds(now, atLns[0], [atLns[1]]));
    lac.do((endpoint, now) => endpoint.sendWanError(now, ...atLac, errors));
    await world.pass(100);
    expect(lac.one("link-info")).toMatchObject({ session: atLac[1], info });
    expect(lac.one("speeds-requested")).toMatchObject({ sessions: [atLac[1]] });
    expect(lns.one("wan-error")).toMatchObject({ session: atLns[1], errors });
    const speeds = { session: atLac[1], txConnectSpeed: 20_000_000, rxConnectSpeed: 5_000_000 };
    lac.do((endpoint, now) => endpoint.updateSpeeds(now, atLac[0], [speeds]));
    await world.pass(100);
    expect(lns.one("speeds-updated").speeds).toEqual([{ ...speeds, session: atLns[1] }]);
  });

  it("is answered by the switch itself where the LAC tells no changes of its speeds", async () => {
    const { world, lac, lns, atLns } = await scene({
      call: { connectSpeedUpdate: false },
      lnsPeer: "connect-speed-update: true, switch-avps: { connect-speed-update: regenerate }",
    });
    lns.do((endpoint, now) => endpoint.requestSpeeds(now, atLns[0], [atLns[1]]));
    await world.pass(100);
    expect(lac.all("speeds-requested")).toEqual([]);
    expect(lns.one("speeds-updated").speeds).toEqual([
      { session: atLns[1], txConnectSpeed: 50_000_000, rxConnectSpeed: 10_000_000 },
    ]);
  });

  it("says nothing of the LAC's speeds to an LNS that is told our own", async () => {
    const { world, lac, lns, atLac, atLns } = await scene({
      lnsPeer:
        "connect-speed: 8M, switch-avps: { tx-connect-speed: regenerate, rx-connect-speed: regenerate }",
    });
    const speeds = { session: atLac[1], txConnectSpeed: 20_000_000, rxConnectSpeed: 5_000_000 };
    lac.do((endpoint, now) => endpoint.updateSpeeds(now, atLac[0], [speeds]));
    lns.do((endpoint, now) => endpoint.requestSpeeds(now, atLns[0], [atLns[1]]));
    await world.pass(100);
    expect(lac.all("speeds-requested")).toEqual([]);
    expect(lns.one("speeds-updated").speeds).toEqual([
      { session: atLns[1], txConnectSpeed: 8_000_000, rxConnectSpeed: 8_000_000 },
    ]);
  });

  it("is the code of a CDN word for word, in both directions", async () => {
    const code = {
      result: 2,
      error: 6,
      message: "out of stamps",
      disconnect: { code: 17, protocol: 0x8021, direction: 2, message: "no address" },
    };
    const ended = await scene();
    ended.lns.do((endpoint, now) => endpoint.closeSession(now, ...ended.atLns, code));
    await ended.world.pass(100);
    expect(ended.lac.one("session-down").cause).toEqual({ by: "peer", ...code });
    const left = await scene();
    left.lac.do((endpoint, now) => endpoint.closeSession(now, ...left.atLac, code));
    await left.world.pass(100);
    expect(left.lns.one("session-down").cause).toEqual({ by: "peer", ...code });
    expect(left.lts.views.sessions()).toEqual([]);
  });
});
