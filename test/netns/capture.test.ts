/** Captures of a LAC's subscriber and of an interface, as Wireshark gets them. */

import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { xdpMissing } from "../dataplane/xdp/rig.ts";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import type { Netns } from "../support/netns.ts";
import { readPcapng } from "../support/pcapng.ts";
import { ping } from "../support/ping.ts";
import { createSite, lacConfig, lnsConfig, PASSWORD, type Site, secretFiles } from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const COMMAND = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const ALICE = "alice@isp.example";
const GATEWAY_INSIDE = "100.64.0.1";
const PINGS = 7;
const hasTshark = has("tshark");

/** `lacewing capture -w -`, and what it has written. */
class Capture {
  readonly #child: ChildProcess;
  readonly #chunks: Buffer[] = [];
  readonly #ended: Promise<unknown[]>;
  said = "";

  constructor(netns: Netns, ...words: string[]) {
    const command = [process.execPath, COMMAND, "capture", ...words, "-w", "-"];
    this.#child = netns.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout!.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.said += text;
    });
    this.#ended = once(this.#child, "close");
  }

  get file(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The file's beginning comes before any frame. */
  async begun(): Promise<this> {
    await eventually("the capture has begun", () => this.file.length > 0);
    return this;
  }

  /** Resolves to its exit code. */
  async ended(): Promise<unknown> {
    const [code] = await this.#ended;
    return code;
  }

  interrupt(): Promise<unknown> {
    this.#child.kill("SIGINT");
    return this.ended();
  }
}

describe.skipIf(!isRoot)("a capture", () => {
  let site: Site;
  let lns: GatewayProcess;
  let folder: string;
  let lac: GatewayProcess | undefined;
  let dial: DialProcess | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lacewing-capture-"));
    site = createSite();
    lns = await GatewayProcess.start(site.lns, lnsConfig(), secretFiles(ALICE));
  });

  afterAll(async () => {
    await hangUp();
    await lns?.close();
    site?.close();
    rmSync(folder, { recursive: true });
  });

  /** A subscriber who is online through a LAC with this engine. */
  async function call(engine: string): Promise<{ lac: GatewayProcess; session: string }> {
    const config = lacConfig({ more: [`data-plane: { engine: ${engine} }`] });
    lac = await GatewayProcess.start(site.lac, config, secretFiles());
    const words = { user: ALICE, password: PASSWORD, device: "each" } as const;
    dial = (await DialProcess.online(site.subscriber, words)).dial;
    const { id } = await lac.session(ALICE);
    await eventually("packets get through", async () => (await pings(1)) === 1);
    return { lac, session: id };
  }

  async function hangUp(): Promise<void> {
    await dial?.kill();
    await lac?.close();
  }

  async function pings(count: number): Promise<number> {
    return (await ping(site.subscriber, { to: GATEWAY_INSIDE, count, patienceSeconds: 1 })).received;
  }

  function save(capture: Capture): string {
    const path = join(folder, "capture.pcapng");
    writeFileSync(path, capture.file);
    return path;
  }

  async function bothLegs(engine: string, { lac, session }: Awaited<ReturnType<typeof call>>): Promise<void> {
    const status = await lac.show("status");
    expect(status.engine).toBe(engine);
    const capture = await new Capture(site.lac, session, "--both", "--socket", lac.socket).begun();
    expect(await pings(PINGS)).toBe(PINGS);
    expect(await capture.interrupt()).toBe(0);
    expect(capture.said).toMatch(/^capturing session s1 to standard output, .* passwords in it\.\n/);
    expect(capture.said).toMatch(/\d+ frames, .*B to standard output: ended by SIGINT\n$/);
    const read = readPcapng(capture.file);
    expect(read.interfaces).toMatchObject([
      { name: "acc0", linkType: 1 },
      { name: "lns", linkType: 101 },
    ]);
    expect(read.statistics.map(({ received, dropped }) => received - dropped)).toEqual(
      [0, 1].map((id) => read.packets.filter(({ interfaceId }) => interfaceId === id).length),
    );
    for (const { timeUs } of read.packets) expect(Math.abs(Date.now() - timeUs / 1000)).toBeLessThan(60_000);
    expect(await pings(1)).toBe(1);
    expect(lac.complaints()).toEqual([]);
    const line = await lac.logged("capture ended", { session, user: ALICE });
    expect(line).toMatchObject({ legs: "access acc0, tunnel lns", reason: "ended by SIGINT" });
    expect(line.by).toMatch(/^the local socket, lacewing\/.* process \d+\)$/);
    if (!hasTshark) return;
    const fields = ["frame.interface_name", "frame.protocols", "icmp.type", "frame.packet_flags_direction"];
    const rows = tshark(save(capture), "icmp || _ws.malformed || ip.checksum.status == 0", ...fields);
    const access = "acc0\teth:ethertype:pppoes:ppp:ip:icmp:data";
    const tunnel = "lns\traw:ip:udp:l2tp:ppp:ip:icmp:data";
    const seen = [
      ...[`${access}\t8\t0x00000001`, `${tunnel}\t8\t0x00000002`],
      ...[`${tunnel}\t0\t0x00000001`, `${access}\t0\t0x00000002`],
    ].flatMap((row) => Array(PINGS).fill(row));
    expect(rows.sort()).toEqual(seen.sort());
  }

  describe("with the engine loop", () => {
    let online: Awaited<ReturnType<typeof call>>;

    beforeAll(async () => {
      online = await call("loop");
    });

    afterAll(hangUp);

    it("has a LAC's session on both legs", () => bothLegs("loop", online));

    it.skipIf(!hasTshark)(
      "is read from a pipe as it comes, and ends when nobody reads it any more",
      async () => {
        const { lac, session } = online;
        const line = `"$0" "$1" capture ${session} -w - --socket ${lac.socket} | tshark -l -i - -c 6 2>/dev/null`;
        const shell = site.lac.spawn(["sh", "-c", line, process.execPath, COMMAND], {
          stdio: ["ignore", "pipe", "pipe"],
        });
        let read = "";
        shell.stdout!.setEncoding("utf8").on("data", (text: string) => {
          read += text;
        });
        const ended = once(shell, "close");
        await lac.logged("capture begun", { capture: "c2" });
        expect(await pings(PINGS)).toBe(PINGS);
        await ended;
        expect(read).toContain("Echo (ping) request");
        await lac.logged("capture ended", { capture: "c2" });
        expect(await lac.show("status")).toMatchObject({ openSessions: 1 });
      },
    );
  });

  it.skipIf(xdpMissing() !== undefined)("has a LAC's session on both legs, with the engine xdp", async () =>
    bothLegs("xdp", await call("xdp")),
  );

  it("of an interface has what passes, and is whole when the interface goes away", async () => {
    site.subscriber.ip("link", "add", "one0", "type", "veth", "peer", "name", "one1");
    site.subscriber.configure("one0", "192.0.2.1/24");
    site.subscriber.configure("one1");
    const none = new Capture(site.subscriber, "--interface", "one0", "--filter", "no such words");
    expect(await none.ended()).toBe(1);
    expect(none.said).toBe(
      "lacewing: one0 cannot be captured: can't parse filter expression: syntax error\n",
    );
    const capture = await new Capture(site.subscriber, "--interface", "one0", "--filter", "arp").begun();
    // nobody answers, and nobody need
    await ping(site.subscriber, { to: "192.0.2.2", count: 1, patienceSeconds: 0.1 });
    await eventually("the questions are there", () => readPcapng(capture.file).packets.length > 0);
    site.subscriber.ip("link", "delete", "one0");
    expect(await capture.ended()).toBe(1);
    expect(capture.said).toMatch(/ frames?, .* to standard output: one0 has gone, or is down\n$/);
    const { interfaces, packets } = readPcapng(capture.file);
    expect(interfaces).toMatchObject([{ name: "one0", linkType: 1, filter: "arp" }]);
    expect(packets[0]).toMatchObject({ direction: "out" });
    expect([...packets[0]!.frame.subarray(12, 14)]).toEqual([8, 6]);
  });
});

function tshark(path: string, filter: string, ...fields: string[]): string[] {
  const shown = fields.flatMap((field) => ["-e", field]);
  const checked = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];
  const words = ["-r", path, ...checked, "-E", "occurrence=l", "-Y", filter, "-T", "fields", ...shown];
  const text = execFileSync("tshark", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return text.split("\n").filter(Boolean);
}

function has(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}
