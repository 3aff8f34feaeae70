/** Debian's pppoe-server with pppd as access concentrator of `lacewing dial`. */

import { afterAll, afterEach, beforeAll, describe, expect, onTestFailed } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { Netns } from "../support/netns.ts";
import type { PeerJob } from "../support/peer-job.ts";
import { PeerVm } from "../support/peer-vm.ts";
import { ping } from "../support/ping.ts";
import { isRoot } from "../support/system.ts";
import { giveSecrets } from "./debian-peers.ts";
import { scenario } from "./scenario.ts";

const USER = "dora@isp.example";
const PASSWORD = "explorer";
const INSIDE = "198.51.100.1";

describe.skipIf(!isRoot)("lacewing dial with pppoe-server", () => {
  let netns: Netns;
  let vm: PeerVm;
  let server: PeerJob | undefined;
  let dial: DialProcess | undefined;

  beforeAll(async () => {
    netns = Netns.create("dial");
    vm = await PeerVm.boot({ nics: [{ netns: netns.name, ifname: "sub0" }] });
    await giveSecrets(vm, { [USER]: PASSWORD });
  });

  afterAll(async () => {
    await vm?.shutdown();
    netns?.delete();
  });

  afterEach(async () => {
    await dial?.kill();
    await server?.kill();
    await server?.finish();
  });

  /** Offers service with that way of authentication; its pppds write to /tmp/server.log. */
  async function serve(requirement: string): Promise<void> {
    const lines = ["auth", requirement, "name bras", "mtu 1492", "mru 1492", "debug", "ms-dns 192.0.2.53"];
    const options = vm.write(
      "server.options",
      `${lines.join("\n")}\nlinkname bras\nlogfile /tmp/server.log\n`,
    );
    await vm.mustRun(["bash", "-c", "rm -f /tmp/server.log; touch /tmp/server.log"]);
    const addresses = ["-L", INSIDE, "-R", "198.51.100.10", "-N", "4"];
    server = vm.spawn(["pppoe-server", "-I", "eth0", "-C", "bras", "-O", options, ...addresses, "-F"]);
    onTestFailed(async () => {
      const log = await vm.run(["cat", "/tmp/server.log"]);
      console.error(`dial:\n${dial?.output}\npppoe-server:\n${server?.output()}\npppd:\n${log.output}`);
    });
  }

  function call(password: string, device: "each" | "none"): DialProcess {
    dial = new DialProcess(netns, { user: USER, password, device });
    return dial;
  }

  for (const [id, requirement] of [
    ["dial-pap", "require-pap"],
    ["dial-chap", "require-chap"],
    ["dial-ms-chap-v2", "require-mschap-v2"],
  ] as const) {
    scenario(id, async () => {
      await serve(requirement);
      const one = call(PASSWORD, "each");
      const up = await one.up();
      expect(up.address).toMatch(/^198\.51\.100\.1\d$/);
      netns.ip("route", "replace", INSIDE, "dev", "dial0");
      expect((await ping(netns, { to: INSIDE, count: 5, packetBytes: 1400 })).received).toBe(5);
      expect((await one.hangUp()).code).toBe(0);
      await vm.mustRun([
        "bash",
        "-c",
        "until grep -q 'LCP terminated by peer' /tmp/server.log; do sleep 0.1; done",
      ]);
    });
  }

  scenario("dial-refused", async () => {
    await serve("require-chap");
    const { reason } = await call("a-wrong-one", "none").down();
    expect(reason).toBe("the server refused us: Access denied");
  });

  scenario("dial-server-ends", async () => {
    await serve("require-chap");
    const one = call(PASSWORD, "none");
    await one.up();
    await vm.mustRun(["bash", "-ec", 'kill "$(head -n 1 /run/ppp-bras.pid)"']);
    const { reason } = await one.down();
    expect(reason).toMatch(/Terminate-Request|PADT|ended/);
  });
});
