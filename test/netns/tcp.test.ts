/** TCP of two kernels through units at both ends: super-segments are cut up on the way out, and joined on the way in. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { etherTypeFilter } from "../../src/wire/bpf.ts";
import { addToSum, checksumOf, internetChecksum, pseudoHeaderSum } from "../../src/wire/checksum.ts";
import { ETHERTYPE_PPPOE_SESSION } from "../../src/wire/ethernet.ts";
import { PROTOCOL_TCP, parseIpv4 } from "../../src/wire/ipv4.ts";
import { readPppoe } from "../dataplane/frames.ts";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import type { Netns } from "../support/netns.ts";
import {
  createSite,
  FAR_HOST,
  lacConfig,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";
import { Wire } from "../support/wire.ts";

const USER = "anna@isp.example";
const PORT = 5001;
const OCTETS = 4 << 20;

/** Sends what it is sent back to whom it came from, once. */
const ECHO = `
  const { createServer } = require("node:net");
  createServer((socket) => socket.pipe(socket)).listen(${PORT}, "${FAR_HOST}", () => console.log("listening"));
`;

/** Sends so many octets that differ, and says whether they came back as they went. */
const ASK = `
  const { connect } = require("node:net");
  const { randomBytes } = require("node:crypto");
  const sent = randomBytes(${OCTETS});
  const got = [];
  const socket = connect(${PORT}, "${FAR_HOST}", () => socket.end(sent));
  socket.on("data", (data) => got.push(data));
  socket.on("close", () => console.log(Buffer.concat(got).equals(sent) ? "same" : "different"));
`;

/** TCP segments in PPPoE frames, and whether their checksums are right. */
function segments(wire: Wire): { intact: boolean; octets: number }[] {
  return wire.all((frame) => {
    const { ppp } = readPppoe(frame);
    if (ppp[0] !== 0 || ppp[1] !== 0x21) return undefined;
    const packet = parseIpv4(ppp.slice(2));
    if (packet === undefined) return { intact: false, octets: ppp.length - 2 };
    if (packet.protocol !== PROTOCOL_TCP) return undefined;
    const { source, destination, payload } = packet;
    const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_TCP, payload.length);
    const intact =
      internetChecksum(ppp, 2, 20) === 0 && checksumOf(addToSum(pseudo, payload, 0, payload.length)) === 0;
    return { intact, octets: ppp.length - 2 };
  });
}

/** Packets that the kernel's TCP of a namespace has found corrupt. */
function corrupt(netns: Netns): number {
  const [names, values] = netns
    .run("cat", "/proc/net/snmp")
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  return Number(values![names!.indexOf("InCsumErrors")]);
}

function packets(netns: Netns, device: string, direction: "rx" | "tx"): number {
  return Number(netns.run("cat", `/sys/class/net/${device}/statistics/${direction}_packets`));
}

describe.skipIf(!isRoot)("TCP through an LNS", () => {
  let site: Site;
  let lac: GatewayProcess;
  let lns: GatewayProcess;

  beforeAll(async () => {
    site = createSite();
    lns = await GatewayProcess.start(site.lns, lnsConfig(), secretFiles(USER));
    lac = await GatewayProcess.start(site.lac, lacConfig(), secretFiles());
  });

  afterAll(async () => {
    await lac?.close();
    await lns?.close();
    site?.close();
  });

  it("arrives as it was sent, in segments that fit and are intact, with fewer writes than segments", async () => {
    const filter = etherTypeFilter(ETHERTYPE_PPPOE_SESSION);
    const wires = [
      await Wire.open(site.lac, "acc0", filter),
      await Wire.open(site.subscriber, "sub0", filter),
    ];
    const { dial } = await DialProcess.online(site.subscriber, {
      user: USER,
      password: PASSWORD,
      device: "each",
    });
    site.subscriber.ip("route", "replace", FAR_HOST, "dev", "dial0");
    const echo = site.lns.spawn([process.execPath, "-e", ECHO], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      let said = "";
      echo.stdout!.on("data", (text) => {
        said += String(text);
      });
      await eventually("the far host listens", () => said.includes("listening"));
      let answer = "";
      const asking = site.subscriber.spawn([process.execPath, "-e", ASK], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      asking.stdout!.on("data", (text) => {
        answer += String(text);
      });
      await eventually("everything has come back", () => answer !== "");
      expect(answer.trim()).toBe("same");
    } finally {
      echo.kill();
    }
    expect([corrupt(site.subscriber), corrupt(site.lns)]).toEqual([0, 0]);
    const counts = wires.map((wire) => {
      const all = segments(wire);
      expect(all.filter(({ intact }) => !intact)).toEqual([]);
      const largest = Math.max(...all.map(({ octets }) => octets));
      expect(largest).toBeLessThanOrEqual(1492);
      expect(largest).toBeGreaterThan(1300);
      return all.length;
    });
    for (const [i, direction] of (["rx", "tx"] as const).entries())
      expect(packets(site.lns, "ppp0", direction)).toBeLessThan(counts[i]! / 2);
    await dial.hangUp();
    for (const wire of wires) await wire.close();
  });
});
