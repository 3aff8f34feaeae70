/** Gateways whose bridges a program in the kernel carries: what they say of it, and what they do when it cannot. */

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readResource } from "../../src/control/client.ts";
import { xdpMissing } from "../dataplane/xdp/rig.ts";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { ping } from "../support/ping.ts";
import {
  type ConfigParts,
  createSite,
  LAC_ADDRESS,
  LNS_ADDRESS,
  lacConfig,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
} from "../support/site.ts";

const COMMAND = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const ALICE = "alice@isp.example";
const FILES = secretFiles(ALICE);
const GATEWAY_INSIDE = "100.64.0.1";

const onEngine = (engine: string): ConfigParts => ({ more: [`data-plane: { engine: ${engine} }`] });

describe.skipIf(xdpMissing() !== undefined)("a LAC with a program in the kernel", () => {
  let site: Site;
  const gateways: GatewayProcess[] = [];
  const dials: DialProcess[] = [];

  const start = async (engine: string): Promise<GatewayProcess> => {
    const [lac] = await Promise.all([
      GatewayProcess.start(site.lac, lacConfig(onEngine(engine)), FILES).then((each) => hold(each)),
      GatewayProcess.start(site.lns, lnsConfig(onEngine("loop")), FILES).then((each) => hold(each)),
    ]);
    return lac;
  };
  const hold = (gateway: GatewayProcess): GatewayProcess => {
    gateways.push(gateway);
    return gateway;
  };
  const call = async () => {
    const { dial } = await DialProcess.online(site.subscriber, {
      user: ALICE,
      password: PASSWORD,
      device: "each",
    });
    dials.push(dial);
  };
  const carriesPackets = () =>
    eventually("the session carries packets", async () => {
      const { received } = await ping(site.subscriber, { to: GATEWAY_INSIDE, count: 3, patienceSeconds: 1 });
      return received === 3;
    });
  const interfaces = async (lac: GatewayProcess) => (await lac.show("status")).interfaces;

  beforeEach(() => {
    site = createSite();
  });

  afterEach(async () => {
    for (const dial of dials.splice(0)) await dial.kill();
    for (const gateway of gateways.splice(0)) await gateway.close();
    site.close();
  });

  it("says on which interfaces it forwards and how, and counts its frames with the loop's", async () => {
    const lac = await start("auto");
    await call();
    await carriesPackets();
    expect((await lac.show("status")).engine).toBe("xdp");
    // these veth devices take no redirected frames in native mode: their other ends have neither a program nor GRO
    expect(await interfaces(lac)).toBe("acc0 (generic), core0 (generic)");
    const warnings = lac.log().filter(({ level, interface: name }) => level === "warn" && name === "acc0");
    expect(warnings).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(/generic mode.* ethtool -K .* gro on\)/) }),
    ]);
    const before = await lac.session(ALICE);
    await ping(site.subscriber, { to: GATEWAY_INSIDE, count: 10 });
    const after = await lac.session(ALICE);
    expect(after.framesIn - before.framesIn).toBeGreaterThanOrEqual(10);
    expect(after.framesOut - before.framesOut).toBeGreaterThanOrEqual(10);
    expect(lac.complaints()).toEqual([]);
  });

  it("leaves a core link that is down, and is back on it when it is up again, by another name, too", async () => {
    const lac = await start("xdp");
    await call();
    await carriesPackets();
    site.lac.ip("link", "set", "core0", "down");
    await eventually(
      "the program has left the link",
      async () => (await interfaces(lac)) === "acc0 (generic)",
    );
    site.lac.ip("link", "set", "core0", "up");
    await carriesPackets();
    await eventually("it is back", async () => (await interfaces(lac)) === "acc0 (generic), core0 (generic)");
    for (const change of ["down", "name core-2"]) site.lac.ip("link", "set", "core0", ...change.split(" "));
    site.lac.ip("link", "set", "core-2", "up");
    await carriesPackets();
    await eventually(
      "it is shown by its new name",
      async () => (await interfaces(lac)) === "acc0 (generic), core-2 (generic)",
    );
  });

  it.each([
    ["sent", `src ${LAC_ADDRESS} dst ${LNS_ADDRESS} proto 17 dport 1701 dir out`],
    ["received", `src ${LNS_ADDRESS} dst ${LAC_ADDRESS} proto 17 sport 1701 dir in`],
  ])(
    "does not carry past an IPsec policy what is %s, from when there is one, and says so",
    async (_, flow) => {
      const policy = (change: string, ...more: string[]) =>
        site.lac.ip("xfrm", "policy", change, ...flow.split(" "), ...more);
      const lac = await start("xdp");
      await call();
      await carriesPackets();
      const left = "messages to an L2TP peer are left to the loop";
      const before = lac.log().filter(({ msg }) => msg === left).length;
      policy("add", "action", "block");
      await eventually(
        "the program has left the link",
        async () => (await interfaces(lac)) === "acc0 (generic)",
      );
      const { received } = await ping(site.subscriber, {
        to: GATEWAY_INSIDE,
        count: 5,
        patienceSeconds: 0.2,
      });
      expect(received).toBe(0);
      const said = lac.log().filter(({ msg }) => msg === left);
      expect(said.slice(before)).toEqual([
        expect.objectContaining({
          reason: expect.stringMatching(/an IPsec policy blocks UDP from .* port 1701/),
        }),
      ]);
      policy("delete");
      await eventually(
        "it is back",
        async () => (await interfaces(lac)) === "acc0 (generic), core0 (generic)",
      );
      await carriesPackets();
    },
  );

  it("leaves an interface with somebody else's program to the loop, and says whose it is", async () => {
    const config = "name: other\ndata-plane: { engine: xdp }\naccess: [{ interface: core0 }]\n";
    const other = hold(await GatewayProcess.start(site.lac, config));
    await eventually("the other has it", async () => (await interfaces(other)) === "core0 (generic)");
    const lac = await start("xdp");
    await call();
    await carriesPackets();
    expect(await interfaces(lac)).toMatch(/^acc0 \(generic\), core0 \(loop: .*lacewing/);
    expect(lac.complaints()).toEqual([expect.stringContaining("core0")]);
  });

  it.each([
    ["auto", "info"],
    ["xdp", "error"],
  ])("runs on the loop without CAP_BPF, and one line says so (%s: %s)", async (engine, level) => {
    const directory = mkdtempSync(join(tmpdir(), "lacewing-xdp-"));
    const config = join(directory, "lacewing.yaml");
    const socket = join(directory, "lacewing.sock");
    writeFileSync(config, `name: gw\ncontrol: { socket: ${socket} }\ndata-plane: { engine: ${engine} }\n`);
    const command = [process.execPath, COMMAND, "run", "--config", config];
    const child = site.lac.spawn(["setpriv", "--bounding-set", "-bpf,-sys_admin", ...command], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "close");
    let said = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await eventually("it is ready", () => said.includes('"msg":"ready"'));
    expect((await readResource(socket, "status")).engine).toBe("loop");
    child.kill("SIGTERM");
    await ended;
    rmSync(directory, { recursive: true });
    const lines = said.split("\n").filter((line) => line.includes('"wanted"'));
    expect(lines).toEqual([expect.stringMatching(new RegExp(`"level":"${level}".*EPERM`))]);
  });
});
