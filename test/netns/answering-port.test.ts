/** An LNS that answers from another port than it was called on (RFC 2661 §8.1). */

import { afterEach, describe, expect, it } from "vitest";
import { readU16, writeU16 } from "../../src/base/bytes.ts";
import { DialProcess } from "../support/dial-process.ts";
import { l2tpOf } from "../support/frames.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { ping } from "../support/ping.ts";
import {
  createSite,
  FAR_HOST,
  LNS_ADDRESS,
  lacConfig,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";
import { Wire } from "../support/wire.ts";

const USER = "a@isp.example";
const CALLED_PORT = 1701;
const ANSWERING_PORT = 1801;
/** In a frame without tags, of an IPv4 packet without options. */
const DESTINATION_PORT_AT = 36;
const CHECKSUM_AT = 40;

describe.skipIf(!isRoot)("an LNS that answers from another port", () => {
  let site: Site;
  const started: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const each of started.splice(0).toReversed()) await each.close();
    site.close();
  });

  it("is spoken to there from then on, in control and data messages", async () => {
    site = createSite();
    const files = secretFiles(USER);
    const [atLns, atLac] = await Promise.all([Wire.open(site.lns, "core0"), Wire.open(site.lac, "core0")]);
    started.push(atLns, atLac);
    const lns = await GatewayProcess.start(
      site.lns,
      lnsConfig().replace(`address: ${LNS_ADDRESS} }`, `address: ${LNS_ADDRESS}, port: ${ANSWERING_PORT} }`),
      files,
    );
    started.push(lns);
    const lac = await GatewayProcess.start(site.lac, lacConfig(), files);
    started.push(lac);
    const dialling = DialProcess.online(site.subscriber, { user: USER, password: PASSWORD, device: "each" });

    // who listens on the called port hands the request to who answers; without a UDP checksum, as it would be wrong
    const request = await atLns.first("SCCRQ", (frame) => (l2tpOf(frame) === undefined ? undefined : frame));
    expect(readU16(request, DESTINATION_PORT_AT)).toBe(CALLED_PORT);
    const handedOn = request.slice();
    writeU16(handedOn, DESTINATION_PORT_AT, ANSWERING_PORT);
    writeU16(handedOn, CHECKSUM_AT, 0);
    atLac.send(handedOn);

    const { dial, up } = await dialling;
    started.push({ close: () => dial.kill() });
    site.subscriber.ip("route", "add", `${FAR_HOST}/32`, "dev", up.device!);
    expect(await ping(site.subscriber, { to: FAR_HOST })).toMatchObject({ sent: 5, received: 5 });
    expect(await lac.show("tunnels")).toMatchObject([
      { remoteAddress: LNS_ADDRESS, remotePort: ANSWERING_PORT },
    ]);
    expect(await lac.counter("drops.wrong-source")).toBe(0);
  });
});
