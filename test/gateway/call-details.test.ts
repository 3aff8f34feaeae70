import { describe, expect, it } from "vitest";
import type { L2tpPeerConfig } from "../../src/config/config.ts";
import { LineDetails } from "../../src/gateway/call-details.ts";
import type { Carrier } from "../../src/gateway/carrier.ts";
import type { LineSubOption } from "../../src/wire/pppoe-tags.ts";
import { World } from "../support/world.ts";

function peer(keys: string): L2tpPeerConfig {
  const config = new World(1).config(`
name: lac1
l2tp: { listen: [{ address: 10.0.0.2 }], peers: [{ name: lns, address: 10.0.0.11, ${keys} }] }
`);
  return config.l2tp.peers[0]!;
}

function rate(type: number, kbps: number): LineSubOption {
  return { type, value: Uint8Array.of(kbps >>> 24, kbps >>> 16, kbps >>> 8, kbps) };
}

const LINE = {
  circuitId: "dslam7 atm 1/2",
  remoteId: "customer-4711",
  subOptions: [
    { type: 1, value: new TextEncoder().encode("dslam7 atm 1/2") },
    rate(129, 40_000),
    rate(130, 100_000),
  ],
};

const CARRIER = {
  kind: "pppoe",
  serviceName: "",
  accessLine: LINE,
  portName: "acc0",
  vlanIds: [100, 7],
  mac: "02:00:5e:10:00:01",
  linkSpeed: 10_000_000_000,
  callingNumber: "dslam7 atm 1/2",
  view: () => ({
    kind: "pppoe",
    interface: "acc0",
    mac: "02:00:5e:10:00:01",
    vlans: [100, 7],
    pppoeSessionId: 99,
    serviceName: "",
  }),
} as unknown as Carrier;

const BARE = { ...CARRIER, accessLine: undefined, vlanIds: [], linkSpeed: undefined } as Carrier;

function request(keys: string, carrier = CARRIER) {
  return new LineDetails(carrier, "lac1").request(peer(keys));
}

function speeds(keys: string, carrier = CARRIER): readonly (number | undefined)[] {
  const { txConnectSpeed, rxConnectSpeed } = new LineDetails(carrier, "lac1").connection(
    peer(keys),
    undefined,
  );
  return [txConnectSpeed, rxConnectSpeed];
}

describe("what ICRQ says of a subscriber's line", () => {
  it("is the line's data in bit/s, unless the policy keeps them from the LNS", () => {
    expect(request("").accessLine).toEqual({
      agentCircuitId: "dslam7 atm 1/2",
      actualDataRateUpstream: 40_000_000,
      actualDataRateDownstream: 100_000_000,
    });
    expect(request("access-line-avps: false").accessLine).toBeUndefined();
    expect(request("", BARE).accessLine).toBeUndefined();
  });

  it("is a Calling Number by the template, in which what is unknown leaves nothing", () => {
    expect(request("").callingNumber).toBe("dslam7 atm 1/2");
    const all = '"{name}/{interface}:{outer-vlan}.{vlan} {mac} [{circuit-id}|{remote-id}]"';
    expect(request(`calling-number: ${all}`).callingNumber).toBe(
      "lac1/acc0:100.7 02:00:5e:10:00:01 [dslam7 atm 1/2|customer-4711]",
    );
    expect(request(`calling-number: ${all}`, BARE).callingNumber).toBe("lac1/acc0:. 02:00:5e:10:00:01 [|]");
  });

  it("has no Calling Number where nothing is known of what it is to be made of", () => {
    expect(request('calling-number: "{circuit-id}"').callingNumber).toBe("dslam7 atm 1/2");
    expect(request('calling-number: "{circuit-id}"', BARE)).not.toHaveProperty("callingNumber");
  });

  it("is a Physical Channel ID by the policy", () => {
    expect(request("").physicalChannelId).toBeUndefined();
    expect(request("physical-channel-id: pppoe-session").physicalChannelId).toBe(99);
    expect(request("physical-channel-id: vlan").physicalChannelId).toBe(100 * 65_536 + 7);
    expect(request("physical-channel-id: vlan", BARE).physicalChannelId).toBeUndefined();
  });

  it("announces updates of the connect speeds only by policy", () => {
    expect(request("").connectSpeedUpdate).toBeUndefined();
    expect(request("connect-speed-update: true").connectSpeedUpdate).toBe(true);
  });
});

describe("what ICCN says of a subscriber's line", () => {
  it("is its speed as the access node told it, or else the interface's, towards the subscriber first", () => {
    expect(speeds("")).toEqual([100_000_000, 40_000_000]);
    expect(speeds("", { ...CARRIER, accessLine: undefined, linkSpeed: 1e8 } as Carrier)).toEqual([1e8, 1e8]);
    expect(speeds("", BARE)).toEqual([1e9, 1e9]);
  });

  it("is the interface's speed or a fixed one where the policy says so, and saturates at 32 bits", () => {
    expect(speeds("connect-speed: port")).toEqual([0xffff_ffff, 0xffff_ffff]);
    expect(speeds("connect-speed: 512k")).toEqual([512_000, 512_000]);
    expect(speeds("connect-speed: 64000")).toEqual([64_000, 64_000]);
  });

  it("asks for sequence numbers where the policy requires them", () => {
    const connection = (keys: string) => new LineDetails(CARRIER, "lac1").connection(peer(keys), undefined);
    expect(connection("").sequencingRequired).toBeUndefined();
    expect(connection("sequencing: required").sequencingRequired).toBe(true);
  });
});
