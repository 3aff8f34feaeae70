import { describe, expect, it } from "vitest";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { Node, type Pair, SubscriberSide, startPair, World, wireEthernet } from "../support/world.ts";

let world: World;

async function start(lacYaml = LAC_YAML, lnsYaml = LNS_YAML): Promise<Pair> {
  world = new World(5);
  return startPair(world, lacYaml, lnsYaml, USERS_YAML);
}

/** PPP frames in L2TP data messages from the LAC: what follows FF03. */
function watchPpp(from: Node): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const send = from.onDatagram;
  from.onDatagram = (to, port, datagram) => {
    const control = (datagram[0]! & 0x80) !== 0;
    if (!control) frames.push(datagram.slice(10));
    send(to, port, datagram);
  };
  return frames;
}

const PAP = 0xc023;
const CHAP = 0xc223;

function protocolOf(frame: Uint8Array): number {
  return (frame[0]! << 8) | frame[1]!;
}

describe("an LNS that takes proxied LCP and authentication", () => {
  it("sends the subscriber no Configure-Request and no challenge, only Success", async () => {
    const { lns, side } = await start();
    const fromLns = watchPpp(lns);
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    expect(await world.until(() => side.online.has(alice), 1000)).toBe(true);
    const protocols = fromLns.map(protocolOf);
    expect(protocols.filter((protocol) => protocol === 0xc021)).toEqual([]);
    expect(fromLns.filter((frame) => protocolOf(frame) === CHAP).map((frame) => frame[2])).toEqual([3]);
  });

  it("takes PAP's name and password too, also hidden", async () => {
    const hidden = LAC_YAML.replace(
      "secret: tunnel-secret",
      "secret: tunnel-secret, hide-avps: true",
    ).replace("interface: acc0", "interface: acc0, authentication: [pap]");
    const { lac, side } = await start(hidden);
    const datagrams: string[] = [];
    const send = lac.onDatagram;
    lac.onDatagram = (to, port, datagram) => {
      datagrams.push(Buffer.from(datagram).toString("latin1"));
      send(to, port, datagram);
    };
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    expect(await world.until(() => side.online.has(alice), 1000)).toBe(true);
    expect(datagrams.some((text) => text.includes("wonderland"))).toBe(false);
  });
});

describe("an LNS that renegotiates", () => {
  it("starts LCP anew across the bridge, and the subscriber gets online all the same", async () => {
    const { lac, lns, side } = await start(
      LAC_YAML,
      LNS_YAML.replace("role: lac", "role: lac, proxy: renegotiate"),
    );
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    expect(await world.until(() => side.online.has(alice), 20_000)).toBe(true);
    await world.pass(100);
    expect(lac.records).toEqual([]);
    expect(lns.views.sessions()).toMatchObject([{ state: "open" }]);
  });
});

describe("replay of the held authentication frame", () => {
  /** An LNS that never says a word in PPP: its datagrams to the LAC are cut off once the call is connected. */
  async function silentLns(policy: string, authentication: string): Promise<number[]> {
    const yaml = LAC_YAML.replace("secret: tunnel-secret", `secret: tunnel-secret, ${policy}`).replace(
      "interface: acc0",
      `interface: acc0, authentication: [${authentication}]`,
    );
    const { lac, lns, side } = await start(yaml);
    const send = lns.onDatagram;
    lns.onDatagram = (to, port, datagram) => {
      if ((datagram[0]! & 0x80) !== 0) send(to, port, datagram);
    };
    const fromLac = watchPpp(lac);
    side.subscriber(1, "alice@isp.example", "wonderland").start();
    await world.until(() => lac.views.sessions()[0]?.state === "open", 1000);
    // the subscriber himself repeats only after 3 s
    await world.pass(2000);
    return fromLac.map(protocolOf);
  }

  it("is off by default", async () => {
    expect(await silentLns("port: 1701", "pap")).toEqual([]);
  });

  it("sends a PAP request once, after a second of silence, where the policy says pap or always", async () => {
    expect(await silentLns("replay-authentication: pap", "pap")).toEqual([PAP]);
    expect(await silentLns("replay-authentication: always", "pap")).toEqual([PAP]);
  });

  it("sends a CHAP response only where the policy says always", async () => {
    expect(await silentLns("replay-authentication: pap", "chap")).toEqual([]);
    expect(await silentLns("replay-authentication: always", "chap")).toEqual([CHAP]);
  });

  it("sends nothing when the LNS has spoken", async () => {
    const { lac, side } = await start(
      LAC_YAML.replace("secret: tunnel-secret", "secret: tunnel-secret, replay-authentication: always"),
    );
    const fromLac = watchPpp(lac);
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 1000);
    await world.pass(2000);
    expect(fromLac.map(protocolOf).filter((protocol) => protocol === CHAP)).toEqual([]);
  });
});

describe("while the LAC calls", () => {
  it("the subscriber's echo requests are answered, and nothing that is the LNS's to answer", async () => {
    world = new World(6);
    const lac = new Node(
      world,
      "10.0.0.2",
      LAC_YAML.replace("interface: acc0", "interface: acc0, authentication: [pap]"),
    );
    const side = new SubscriberSide(world);
    wireEthernet(side, lac);
    await side.open();
    await lac.gateway.start();
    const toSubscriber: number[] = [];
    const deliver = lac.onEthernet;
    lac.onEthernet = (frame) => {
      if (frame[13] === 0x64) toSubscriber.push((frame[20]! << 8) | frame[21]!, frame[22]!);
      deliver(frame);
    };
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => lac.views.sessions()[0]?.state === "calling", 1000);
    toSubscriber.length = 0;
    // PAP requests are repeated every 3 s; the LNS has not answered
    await world.pass(4000);
    expect(lac.views.sessions()).toMatchObject([{ state: "calling" }]);
    expect(toSubscriber).toEqual([]);
  });
});

describe("where a subscriber goes", () => {
  const BOTH = `
name: both
access: [{ interface: acc0, any-service-name: true }]
l2tp:
  listen: [{ address: 10.0.0.2 }]
  peers: [{ name: lns, address: 10.0.0.11, secret: tunnel-secret }]
realms: { isp.example: { lns: lns }, LOCAL.example: { terminate: here } }
services: { wholesale: { lns: lns } }
default: { refuse: true }
units: { here: { name: "sub%d", address: 100.65.0.1, pool: 100.65.0.0/24 } }
users-file: users.yaml
`;
  const USERS = `${USERS_YAML}- { name: carol@local.example, password: chips }\n- { name: dave, password: dinner }\n`;

  async function one(): Promise<Pair> {
    world = new World(7);
    const lnsYaml = LNS_YAML.replace("host-name: lac", "host-name: both")
      .replace("isp.example", "other.example")
      .replace("units:", "default: { terminate: subscribers }\nunits:");
    return startPair(world, BOTH, lnsYaml, USERS);
  }

  it("is said by the realm, whatever its case", async () => {
    const { lac, side } = await one();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    const carol = side.subscriber(2, "carol@local.example", "chips");
    for (const caller of [alice, carol]) caller.start();
    expect(await world.until(() => side.online.size === 2, 5000)).toBe(true);
    await world.pass(10);
    expect(lac.views.sessions().map(({ user, role }) => [user, role])).toEqual([
      ["alice@isp.example", "lac"],
      ["carol@local.example", "pta"],
    ]);
  });

  it("is said by the Service-Name before the realm", async () => {
    const { lac, side } = await one();
    const dave = side.subscriber(1, "dave", "dinner", undefined, "wholesale");
    dave.start();
    expect(await world.until(() => side.online.has(dave), 5000)).toBe(true);
    await world.pass(10);
    expect(lac.views.sessions()).toMatchObject([{ user: "dave", role: "lac" }]);
  });

  it("is nowhere without either: he is told so and let go", async () => {
    const { lac, side } = await one();
    const dave = side.subscriber(1, "dave", "dinner");
    dave.start();
    expect(await world.until(() => side.offline.has(dave), 5000)).toBe(true);
    expect(side.offline.get(dave)).toContain("no service for this user name");
    await world.pass(5000);
    expect(lac.records).toMatchObject([{ cause: "refused" }]);
  });
});

describe("what is logged", () => {
  it("holds no secret of anyone, and a session's last line is its record", async () => {
    const { lac, lns, side } = await start();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 1000);
    await world.pass(60_000);
    alice.hangUp();
    await world.pass(5000);
    const all = JSON.stringify([lac.log, lns.log, lac.views.sessions(), lns.views.counters()]);
    for (const secret of ["wonderland", "tunnel-secret", "builder"]) expect(all).not.toContain(secret);
    expect(lns.log.at(-1)).toMatchObject({
      message: "session ended",
      user: "alice@isp.example",
      address: "100.64.0.2",
      peer: "lac",
      callingNumber: "02:00:00:01:00:01",
      openSeconds: 60,
      cause: "hung-up",
    });
    const record = lac.records[0];
    // he told the LNS, inside PPP, and the LNS told us
    expect(record).toMatchObject({ mac: "02:00:00:01:00:01", interface: "acc0", cause: "lns-ended" });
    expect(record?.reason).toContain("the peer ended the link");
    for (const count of ["octetsIn", "octetsOut", "framesIn", "framesOut"])
      expect(record?.[count]).toBeGreaterThan(0);
  });
});
