/** One process that is LAC, tunnel switch, LNS and local termination at once; what a session leaves in the log. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { ping } from "../support/ping.ts";
import {
  createSite,
  FAR_HOST,
  LAC_ADDRESS,
  LNS_ADDRESS,
  PASSWORD,
  type Site,
  secretFiles,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";

/** An LNS behind the right one, in the same namespace. */
const FAR_LNS_ADDRESS = "10.8.0.3";

/**
 * Each terminates its own realm and the service "local", carries the other's to the other, and takes its calls.
 * `onward`: where far.example goes.
 */
const everything = (
  name: string,
  address: string,
  otherName: string,
  otherAddress: string,
  onward: string,
): string => `name: ${name}
access:
  - interface: acc0
    service-names: ["", local]
l2tp:
  listen: [{ address: ${address} }]
  peers:
    - { name: ${otherName}, address: ${otherAddress}, role: both, host-name: ${otherName}, secret-file: tunnel.secret }
    - { name: far, address: ${FAR_LNS_ADDRESS}, secret-file: tunnel.secret, hide-avps: true }
realms:
  far.example: { lns: ${onward} }
  ${name}.example: { terminate: own }
  ${otherName}.example: { lns: ${otherName} }
services:
  local: { terminate: own }
users-file: users.yaml
units:
  own: { name: own%d, address: 100.64.0.1, pool: 100.64.0.0/24 }
`;

const FAR_LNS = `name: far
l2tp:
  listen: [{ address: ${FAR_LNS_ADDRESS} }]
  peers: [{ name: right, role: lac, host-name: right, secret-file: tunnel.secret }]
default: { terminate: far }
users-file: users.yaml
units:
  far: { name: far%d, address: 100.65.0.1, pool: 100.65.0.0/24 }
`;

describe.skipIf(!isRoot)("a gateway in all its roles at once", () => {
  let site: Site;
  let left: GatewayProcess;
  let right: GatewayProcess;
  let far: GatewayProcess;

  beforeAll(async () => {
    site = createSite();
    // the right one's own access line ends in its own namespace
    site.lns.ip("link", "add", "acc0", "type", "veth", "peer", "name", "sub0");
    site.lns.configure("acc0");
    site.lns.configure("sub0");
    site.lns.ip("address", "add", `${FAR_LNS_ADDRESS}/24`, "dev", "core0");
    const users = ["anna@left.example", "berta@left.example", "carl@right.example", "dora@far.example"];
    [left, right, far] = await Promise.all([
      GatewayProcess.start(
        site.lac,
        everything("left", LAC_ADDRESS, "right", LNS_ADDRESS, "right"),
        secretFiles(...users),
      ),
      GatewayProcess.start(
        site.lns,
        everything("right", LNS_ADDRESS, "left", LAC_ADDRESS, "far"),
        secretFiles(...users),
      ),
      GatewayProcess.start(site.lns, FAR_LNS, secretFiles(...users)),
    ]);
  });

  afterAll(async () => {
    await left?.close();
    await right?.close();
    await far?.close();
    site?.close();
  });

  it("takes a subscriber to where its realm says, or its Service-Name", async () => {
    const password = PASSWORD;
    const anna = await DialProcess.online(site.subscriber, { user: "anna@left.example", password });
    expect((await left.session("anna@left.example")).role).toBe("pta");
    await anna.dial.hangUp();

    const carl = await DialProcess.online(site.subscriber, { user: "carl@right.example", password });
    expect((await left.session("carl@right.example")).role).toBe("lac");
    expect((await right.session("carl@right.example")).role).toBe("lns");
    await carl.dial.hangUp();

    const words = { user: "carl@right.example", password, serviceName: "local" };
    const local = await DialProcess.online(site.subscriber, words);
    expect((await left.session("carl@right.example")).role).toBe("pta");
    await local.dial.hangUp();
  });

  it("carries calls in both directions at one time", async () => {
    const password = PASSWORD;
    const [carl, berta] = await Promise.all([
      DialProcess.online(site.subscriber, { user: "carl@right.example", password, device: "each" }),
      DialProcess.online(site.lns, { user: "berta@left.example", password }),
    ]);
    const roles = async (gateway: GatewayProcess) =>
      Object.fromEntries((await gateway.show("sessions")).map(({ user, role }) => [user, role]));
    expect(await roles(left)).toEqual({ "carl@right.example": "lac", "berta@left.example": "lns" });
    expect(await roles(right)).toEqual({ "carl@right.example": "lns", "berta@left.example": "lac" });
    site.subscriber.ip("route", "add", FAR_HOST, "dev", "dial0");
    expect((await ping(site.subscriber, { to: FAR_HOST, count: 5 })).received).toBe(5);
    await Promise.all([carl.dial.hangUp(), berta.dial.hangUp()]);
    await Promise.all([left.hasSessions(0), right.hasSessions(0)]);
  });

  it("sends a call that came by L2TP on to the next LNS, and carries its packets", async () => {
    const user = "dora@far.example";
    const { dial, up } = await DialProcess.online(site.subscriber, {
      user,
      password: PASSWORD,
      device: "each",
    });
    expect((await left.session(user)).role).toBe("lac");
    expect(await right.session(user)).toMatchObject({
      role: "lts",
      origin: { kind: "l2tp", peer: "left" },
      onward: { kind: "l2tp", peer: "far" },
    });
    expect(await far.session(user)).toMatchObject({ role: "lns", address: up.address });
    site.subscriber.ip("route", "add", FAR_HOST, "dev", "dial0");
    expect((await ping(site.subscriber, { to: FAR_HOST, count: 5 })).received).toBe(5);
    await dial.hangUp();
    await Promise.all([left, right, far].map((gateway) => gateway.hasSessions(0)));
  });

  it("writes a record when a session ends: who, where, when, how much, why", async () => {
    const words = { user: "carl@right.example", password: PASSWORD, device: "each" } as const;
    const before = left.log().length;
    const { dial, up } = await DialProcess.online(site.subscriber, words);
    site.subscriber.ip("route", "add", FAR_HOST, "dev", "dial0");
    await ping(site.subscriber, { to: FAR_HOST, count: 10, packetBytes: 1000 });
    await dial.hangUp();
    await Promise.all([left.hasSessions(0), right.hasSessions(0)]);
    const record = left
      .log()
      .slice(before)
      .find(({ msg }) => msg === "session ended");
    expect(record).toMatchObject({
      level: "info",
      user: words.user,
      role: "lac",
      interface: "acc0",
      mac: up.mac,
      pppoeSession: up.pppoeSessionId,
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      endedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      openSeconds: expect.any(Number),
      cause: expect.stringMatching(/^(hung-up|lns-ended)$/),
      reason: expect.any(String),
    });
    const terminated = right.log().findLast(({ msg }) => msg === "session ended");
    expect(terminated).toMatchObject({
      user: words.user,
      role: "lns",
      address: up.address,
      callingNumber: up.mac,
    });
    expect(terminated).toMatchObject({ cause: "hung-up" });
    for (const line of [record, terminated])
      for (const way of ["In", "Out"]) {
        expect(line?.[`frames${way}`]).toBeGreaterThanOrEqual(10);
        expect(line?.[`octets${way}`]).toBeGreaterThanOrEqual(10 * 1000);
        expect(line?.[`octets${way}`]).toBeLessThan(20 * 1000);
      }
  });
});
