import { describe, expect, it } from "vitest";
import { checkPeerName, checkSessionNames, noSuch } from "../../src/gateway/operations-names.ts";

type Config = Parameters<typeof checkSessionNames>[1];
type Sessions = Parameters<typeof checkSessionNames>[2];
type Tunnels = Parameters<typeof checkPeerName>[2];

const CONFIG = {
  access: [{ interface: "acc0" }],
  l2tp: { peers: [{ name: "lns1" }, { name: "lns2" }, { name: "lac-west" }] },
  lnsGroups: new Map([["wholesale", { members: [{ peer: "lns1" }, { peer: "lns2" }] }]]),
} as unknown as Config;

const SESSIONS = [
  { onwardPeer: undefined, carrier: { portName: "acc7" } },
  { onwardPeer: "lns9", carrier: { portName: "acc0" } },
] as unknown as Sessions;

function refusal(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    return `${message} (${hint})`;
  }
  return undefined;
}

describe("a name that operators type", () => {
  it.each([
    [{}],
    [{ lns: "lns2", interface: "acc0" }],
    [{ interface: "lac-west" }],
    // taken out of the configuration, and there yet
    [{ lns: "lns9" }],
    [{ interface: "acc7" }],
  ])("is taken when something is called so: %j", (filter) => {
    expect(refusal(() => checkSessionNames(filter, CONFIG, SESSIONS))).toBeUndefined();
  });

  it.each([
    [{ lns: "lsn1" }, "there is no LNS lsn1 (did you mean lns1?)"],
    [{ lns: "acc0" }, "there is no LNS acc0 (there are: lns1, lns2, lac-west)"],
    [
      { lns: "wholesale" },
      "wholesale is a group, and a session is carried to one LNS of it (its LNSes are: lns1, lns2)",
    ],
    [{ interface: "acc1" }, "there is no access interface or L2TP peer acc1 (did you mean acc0?)"],
  ])("is refused when nothing is: %j", (filter, text) => {
    expect(refusal(() => checkSessionNames(filter, CONFIG, SESSIONS))).toBe(text);
  });

  it("may be a peer's that only a tunnel is left of", () => {
    const tunnels = [{ peer: "gone" }, { peer: null }] as unknown as Tunnels;
    expect(refusal(() => checkPeerName("gone", CONFIG, tunnels))).toBeUndefined();
    expect(refusal(() => checkPeerName(undefined, CONFIG, tunnels))).toBeUndefined();
    expect(refusal(() => checkPeerName("lac-wets", CONFIG, tunnels))).toBe(
      "there is no L2TP peer lac-wets (did you mean lac-west?)",
    );
  });

  it("is answered by no more names than one reads", () => {
    const many = Array.from({ length: 1000 }, (_, i) => `lns${i}`);
    expect(noSuch("LNS", "zzzzzzz", many).hint).toBe(
      "there are: lns0, lns1, lns2, lns3, lns4, lns5, lns6, lns7 and 992 more",
    );
    expect(noSuch("LNS", "z", []).hint).toBe("there are: none");
  });
});
