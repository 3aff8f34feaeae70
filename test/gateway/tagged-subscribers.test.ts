import { expect, it } from "vitest";
import { concatBytes, fromHex, readU16 } from "../../src/base/bytes.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { startPair, World } from "../support/world.ts";

const TAGS = fromHex("88a8 0064 8100 0005");
const AFTER_TAGS = 12 + TAGS.length;
const CONFIGURE_REQUEST = fromHex("8864 1100").join();

let world: World;

/** The MRU in an LCP Configure-Request of a session frame under TAGS, if it is one. */
function mruAsked(frame: Uint8Array): number[] {
  if (frame.subarray(AFTER_TAGS, AFTER_TAGS + 4).join() !== CONFIGURE_REQUEST) return [];
  const ppp = frame.subarray(AFTER_TAGS + 8);
  if (readU16(ppp, 0) !== 0xc021 || ppp[2] !== 1) return [];
  for (let at = 6; at < 2 + readU16(ppp, 4); at += ppp[at + 1]!)
    if (ppp[at] === 1) return [readU16(ppp, at + 2)];
  return [];
}

it("subscribers under two VLAN tags are offered an MRU that fits the interface with its tags", async () => {
  world = new World(5);
  const { lac, side } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
  const asked: number[] = [];
  const { onEthernet: toLac } = side;
  const { onEthernet: toSubscriber } = lac;
  side.onEthernet = (frame) => toLac(concatBytes(frame.subarray(0, 12), TAGS, frame.subarray(12)));
  lac.onEthernet = (frame) => {
    asked.push(...mruAsked(frame));
    toSubscriber(concatBytes(frame.subarray(0, 12), frame.subarray(AFTER_TAGS)));
  };
  const alice = side.subscriber(1, "alice@isp.example", "wonderland");
  alice.start();
  expect(await world.until(() => side.online.has(alice), 1000)).toBe(true);
  // 1500 less two tags of four octets, PPPoE's six and PPP's two
  expect(asked).toEqual([1484]);
});
