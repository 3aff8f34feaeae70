import { describe, expect, it } from "vitest";
import { ipv4Packet } from "../support/ipv4-packet.ts";
import { startAlone, World } from "../support/world.ts";

const YAML = `
name: pta
access: [{ interface: acc0 }]
default: { terminate: local }
units: { local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 } }
users-file: users.yaml
`;
const USERS = "- { name: bob, password: builder }\n";

const PADS = 0x65;
const CONFIGURE_REQUEST = 1;
const ECHO_REQUEST = 9;

const isSession = (frame: Uint8Array): boolean => frame[12] === 0x88 && frame[13] === 0x64;

function isLcp(frame: Uint8Array, code: number): boolean {
  return isSession(frame) && frame[20] === 0xc0 && frame[21] === 0x21 && frame[22] === code;
}

/** What the gateway would answer: he does not look at the magic number. */
function echoReply(request: Uint8Array): Uint8Array {
  const reply = request.slice();
  reply.set(request.subarray(6, 12), 0);
  reply.set(request.subarray(0, 6), 6);
  reply[22] = 10;
  reply.fill(0, 26, 30);
  return reply;
}

describe("our first Configure-Request", () => {
  /** How long after PADS it leaves, to a host that says nothing, or begins itself. */
  async function delay(silent: boolean): Promise<number> {
    const world = new World(91);
    const { node, side } = await startAlone(world, YAML, USERS);
    const sent: { readonly at: number; readonly frame: Uint8Array }[] = [];
    const [toHost, toGateway] = [node.onEthernet, side.onEthernet];
    node.onEthernet = (frame) => {
      sent.push({ at: world.clock.now(), frame });
      toHost(frame);
    };
    side.onEthernet = (frame) => {
      if (!silent || !isSession(frame)) toGateway(frame);
    };
    side.subscriber(1, "bob", "builder").start();
    await world.pass(5000);
    const pads = sent.find(({ frame }) => !isSession(frame) && frame[15] === PADS);
    const request = sent.find(({ frame }) => isLcp(frame, CONFIGURE_REQUEST));
    return request!.at - pads!.at;
  }

  it("follows the host's, or comes a second after PADS", async () => {
    expect(await delay(false)).toBeLessThan(100);
    const late = await delay(true);
    expect(late).toBeGreaterThan(900);
    expect(late).toBeLessThanOrEqual(1000);
  });
});

describe("echo requests", () => {
  it("are sent every 30 s to a subscriber who answers, and not while more than that is heard of him", async () => {
    const intervals = async (everyMs: number): Promise<readonly number[]> => {
      const world = new World(92);
      const { node, side } = await startAlone(world, YAML, USERS);
      const bob = side.subscriber(1, "bob", "builder");
      bob.start();
      await world.until(() => side.online.has(bob), 5000);
      const echoes: number[] = [];
      const [toHost, toGateway] = [node.onEthernet, side.onEthernet];
      node.onEthernet = (frame) => {
        if (isLcp(frame, ECHO_REQUEST)) echoes.push(world.clock.now());
        toHost(frame);
      };
      // he asks for none himself: that would be heard as well; and he gets answers, or he would hang up
      side.onEthernet = (frame) => {
        if (!isLcp(frame, ECHO_REQUEST)) toGateway(frame);
        else toHost(echoReply(frame));
      };
      for (let ms = 0; ms < 200_000; ms += everyMs) {
        if (everyMs < 60_000)
          side.dataplane.receivePacket(side.units.get(bob)!, ipv4Packet("100.64.0.2", "203.0.113.10"));
        await world.pass(everyMs);
      }
      return echoes.map((at, i) => Math.round((at - (echoes[i - 1] ?? at)) / 1000));
    };
    expect(await intervals(100_000)).toEqual([0, 30, 30, 30, 30, 30]);
    expect(await intervals(5000)).toEqual([]);
  });
});
