import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { emitPap } from "../../src/wire/pap.ts";
import { emitPpp, PPP_LCP, PPP_PAP } from "../../src/wire/ppp.ts";
import {
  CONFIGURE_ACK,
  CONFIGURE_REQUEST,
  emitControlPacket,
  parseControlPacket,
} from "../../src/wire/ppp-control.ts";
import { LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { PlayedPeer } from "../support/played-peer.ts";
import { Node, World } from "../support/world.ts";

let world: World;

async function start(policy = "port: 1701"): Promise<{ readonly lns: Node; readonly lac: PlayedPeer }> {
  world = new World(43);
  const yaml = LNS_YAML.replace("secret: tunnel-secret", `authentication: [pap], ${policy}`);
  const lns = new Node(world, "10.0.0.11", yaml, USERS_YAML);
  const lac = new PlayedPeer(world, lns);
  await lns.gateway.start();
  await lac.openTunnel("lac");
  return { lns, lac };
}

/** LCP with these options, acknowledged by both sides, and PAP after it. */
async function logIn(lac: PlayedPeer, options: string): Promise<void> {
  const lcp = (code: number, identifier: number, data: Uint8Array): void =>
    lac.sendFrame(emitPpp(PPP_LCP, emitControlPacket({ code, identifier, data })));
  const requests = () =>
    lac.frames
      .map(({ frame }) =>
        frame[0] === 0xc0 && frame[1] === 0x21 ? parseControlPacket(frame.slice(2)) : undefined,
      )
      .filter((packet) => packet?.code === CONFIGURE_REQUEST);
  await world.until(() => requests().length > 0, 5000);
  const theirs = requests().at(-1)!;
  lcp(CONFIGURE_ACK, theirs.identifier, theirs.data);
  lcp(CONFIGURE_REQUEST, 1, fromHex(options));
  await world.pass(100);
  const pap = {
    kind: "authenticate-request",
    identifier: 1,
    peerId: utf8("alice@isp.example"),
    password: utf8("wonderland"),
  } as const;
  lac.sendFrame(emitPpp(PPP_PAP, emitPap(pap)));
  await world.pass(100);
}

const accms = (lac: PlayedPeer): string[] =>
  lac.heard.flatMap((message) => (message.kind === "SLI" && message.accm ? [toHex(message.accm)] : []));

describe("the characters that a subscriber wants escaped", () => {
  it("are told to the LAC, which has the line, when we have agreed on them", async () => {
    const { lac } = await start();
    await lac.call();
    await logIn(lac, "0206 000a0000");
    expect(accms(lac)).toEqual(["0000000a0000ffffffff"]);
  });

  it("are not told when they are all that there are, which is the default", async () => {
    const { lac } = await start();
    await lac.call();
    await logIn(lac, "0206 ffffffff");
    expect(accms(lac)).toEqual([]);
  });

  it("are not told to the LAC that has agreed on them itself", async () => {
    const { lns, lac } = await start();
    const lcp = { lastSentLcp: fromHex("0304c023"), lastReceivedLcp: fromHex("0206000a0000") };
    const authentication = {
      proxyAuthenType: 3,
      proxyAuthenName: utf8("alice@isp.example"),
      proxyAuthenId: 1,
      proxyAuthenResponse: utf8("wonderland"),
    };
    await lac.call({ ...lcp, ...authentication });
    await world.until(() => lac.frames.length > 0, 5000);
    expect(lns.views.sessions()).toMatchObject([{ user: "alice@isp.example" }]);
    expect(accms(lac)).toEqual([]);
  });
});

describe("Sequencing Required", () => {
  const numbered = (lac: PlayedPeer) => [...new Set(lac.frames.map((frame) => frame.numbered))];

  it("makes the LNS number its data from the first message on, before any of the LAC's has come", async () => {
    const { lac } = await start();
    await lac.call({ sequencingRequired: true });
    await world.pass(5000);
    expect(numbered(lac)).toEqual([true]);
  });

  it("is not obeyed where the policy says that there are never numbers", async () => {
    const { lac } = await start("sequencing: never");
    await lac.call({ sequencingRequired: true });
    await world.pass(5000);
    expect(numbered(lac)).toEqual([false]);
  });
});

describe("what a subscriber sends before ICCN has come", () => {
  it("is kept, as much as a little, and taken once it has", async () => {
    const { lac } = await start();
    const request = (identifier: number) =>
      emitPpp(
        PPP_LCP,
        emitControlPacket({ code: CONFIGURE_REQUEST, identifier, data: fromHex("0506 01020304") }),
      );
    await lac.call({}, async () => {
      for (let identifier = 1; identifier <= 20; identifier++) lac.sendFrame(request(identifier));
      await world.pass(100);
      expect(lac.frames).toEqual([]);
    });
    await world.pass(100);
    const acknowledged = lac.frames
      .map(({ frame }) => parseControlPacket(frame.slice(2)))
      .flatMap((packet) => (packet?.code === CONFIGURE_ACK ? [packet.identifier] : []));
    expect(acknowledged).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
