/** An operator at a LAC and an LNS that carry somebody: what the command says is what is there, and what it orders happens. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandProcess } from "../support/command-process.ts";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import {
  createSite,
  LNS_ADDRESS,
  lacConfig,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
  TUNNEL_SECRET,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const ALICE = "alice@isp.example";

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

describe.skipIf(!isRoot)("an operator", () => {
  let site: Site;
  let lac: GatewayProcess;
  let lns: GatewayProcess;
  let dial: DialProcess;
  /** Everything that the command has said. */
  let said = "";

  async function lacewing(gateway: GatewayProcess, ...words: string[]): Promise<Ran> {
    const command = new CommandProcess(site.lac, [...words, "--socket", gateway.socket]);
    const { code } = await command.exited;
    said += command.output;
    return { code, output: command.output };
  }

  beforeAll(async () => {
    site = createSite();
    lns = await GatewayProcess.start(site.lns, lnsConfig(), secretFiles(ALICE));
    lac = await GatewayProcess.start(site.lac, lacConfig(), secretFiles());
  });

  afterAll(async () => {
    await dial?.kill();
    await lac?.close();
    await lns?.close();
    site?.close();
  });

  it("tests the tunnel before anybody calls, and finds it well", async () => {
    const { code, output } = await lacewing(lac, "test", "tunnel", "--user", ALICE);
    expect(output).toMatch(/^ok {3}lac: alice@isp\.example calling on acc0 goes to the LNS lns/);
    expect(output).toMatch(/^ok {3}lns took a new tunnel: SCCRP came after SCCRQ\. \(\d+ ms\)$/m);
    expect(output).toMatch(/^ok {3}lns took the call: ICRP came after ICRQ\. \(\d+ ms\)$/m);
    expect(code).toBe(0);
    expect(await lns.show("sessions")).toEqual([]);
  });

  it("sees a subscriber on both gateways, by his name", async () => {
    dial = new DialProcess(site.subscriber, { user: ALICE, password: PASSWORD });
    await lac.session(ALICE);
    await lns.session(ALICE);
    for (const [gateway, role] of [
      [lac, "lac"],
      [lns, "lns"],
    ] as const) {
      const { output } = await lacewing(gateway, "show", "sessions", "--user", "alice@*", "--state", "open");
      expect(output.split("\n")[1]).toMatch(new RegExp(`^s\\d+ +${role} +open +${ALICE} `));
      expect((await lacewing(gateway, "show", "sessions", "--user", "bob")).output.split("\n")).toHaveLength(
        2,
      );
    }
    expect((await lacewing(lac, "show")).output).toMatch(
      /All is well\.\n\nSessions {2}1 {2}\(open 1, lac 1\)/,
    );
    expect((await lacewing(lac, "show", "tunnels")).output).toContain(LNS_ADDRESS);
  });

  it("is told why", async () => {
    const { code, output } = await lacewing(lac, "why", ALICE);
    expect(code).toBe(0);
    for (const message of ["PADI", "PADS", "LCP", "ICRQ", "ICCN"]) expect(output).toContain(message);
    expect((await lacewing(lac, "why", "nobody@isp.example")).code).toBe(1);
  });

  it("reads what is new in the configuration, which is nothing", async () => {
    expect((await lacewing(lac, "reload", "--plan")).output).toContain("nothing changes");
  });

  it("drains, and lets calls in again", async () => {
    expect((await lacewing(lac, "drain", "on")).output).toBe("acc0: no new calls; sessions go on\n");
    expect((await lacewing(lac, "show", "interfaces")).output).toMatch(/^acc0 +draining /m);
    expect((await lacewing(lac, "drain", "off")).output).toBe("acc0: calls are taken\n");
  });

  it("drains an LNS, whose LAC is told why, and lets its calls in again", async () => {
    const test = ["test", "tunnel", "--user", ALICE];
    expect((await lacewing(lns, "drain", "on")).output).toBe("calls by L2TP: no new calls; sessions go on\n");
    expect((await lacewing(lns, "show")).output).toContain("takes no new calls by L2TP, and has one session");
    const refused = await lacewing(lac, ...test);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain("draining: no new calls");
    expect((await lacewing(lns, "show", "counters")).output).toMatch(/l2tp\.refused\.draining +1 /);
    expect((await lacewing(lns, "drain", "off")).output).toBe("calls by L2TP: calls are taken\n");
    expect((await lacewing(lac, ...test)).code).toBe(0);
    expect(await lns.show("sessions")).toHaveLength(1);
  });

  it("ends the subscriber's session, of which everybody is told", async () => {
    const ended = await lacewing(lac, "end", "--user", "alice@*", "--reason", "moved");
    expect(ended).toEqual({ code: 0, output: "ending 1 session\n" });
    await lac.logged("session ended", { cause: "operator", reason: "moved" });
    await eventually("the LNS has none left", async () => (await lns.show("sessions")).length === 0);
    expect((await lacewing(lac, "end", "--user", "alice@*")).code).toBe(1);
  });

  it("has read no secret in all of it", async () => {
    for (const words of [
      ["config"],
      ["counters"],
      ["drops"],
      ["lns"],
      ["status"],
      ["rates"],
      ["users"],
      ["channels"],
    ])
      expect((await lacewing(lac, "show", ...words, "--json")).code, words.join()).toBe(0);
    expect(said).not.toContain(TUNNEL_SECRET);
    expect(said).not.toContain(PASSWORD);
  });
});
