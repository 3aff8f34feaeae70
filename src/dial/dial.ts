import { setFlagsFromString } from "node:v8";
import { LacewingError } from "../base/errors.ts";
import { startLoopDataplane } from "../dataplane/loop/engine.ts";
import { openFramePort } from "../io/frame-port.ts";
import type { HostNetwork } from "../io/host-network.ts";
import { openHostNetwork } from "../io/native-host-network.ts";
import type { LinkInfo } from "../wire/rtnetlink-link.ts";
import type { DialOptions } from "./dial-options.ts";
import { Dialer } from "./dialer.ts";
import { DialReport } from "./report.ts";
import { SessionSocket } from "./session-socket.ts";

/** PPPoE's header and the PPP protocol field (RFC 2516 §7). */
const PPPOE_OVERHEAD_BYTES = 8;
/** PPP payload without PPP-Max-Payload. */
const PPPOE_MRU_BYTES = 1492;

/**
 * Thousands of calls are over within seconds: what the optimising compiler puts into inlining (V8's limit is 920 octets
 * of bytecode in a function) does not come back in that time. Not where packets are forwarded: there it does.
 */
const INLINED_BYTES = 200;

/**
 * Brings `count` emulated subscribers up on an interface, keeps them until `signal`, and hangs up. Resolves to
 * whether all of them came up and stayed. Ends by itself when nobody is left.
 */
export async function dial(
  options: DialOptions,
  { write, signal }: { readonly write: (text: string) => void; readonly signal: AbortSignal },
): Promise<boolean> {
  const host = openHostNetwork();
  const report = new DialReport(options, write);
  try {
    const link = host.linkByName(options.interface);
    if (link === undefined)
      throw new LacewingError("no-such-interface", `there is no interface ${options.interface}`);
    if (!link.up) throw new LacewingError("interface-down", `interface ${options.interface} is down`);
    return options.device === "none"
      ? await dialWithoutDevices(options, report, link, host, signal)
      : await dialWithDevices(options, report, link, signal);
  } finally {
    report.flush();
    host.close();
  }
}

/** Sessions that carry no IP need no data plane. */
async function dialWithoutDevices(
  options: DialOptions,
  report: DialReport,
  link: LinkInfo,
  host: HostNetwork,
  signal: AbortSignal,
): Promise<boolean> {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${INLINED_BYTES}`);
  const socket = new SessionSocket(
    link,
    options.count,
    () => host.linkByName(link.name)?.ifindex === link.ifindex,
  );
  try {
    const dialer = new Dialer(options, socket, report, {
      port: 0,
      mac: link.mac,
      mruBytes: pppoeMru(link),
      sendDiscovery: (frame) => socket.sendDiscovery(frame),
    });
    socket.onDiscovery((frame) => dialer.discoveryFrame(frame));
    return await dialer.run(signal);
  } finally {
    await socket.close();
  }
}

async function dialWithDevices(
  options: DialOptions,
  report: DialReport,
  link: LinkInfo,
  signal: AbortSignal,
): Promise<boolean> {
  const dataplane = await startLoopDataplane({ maxChannels: Math.max(1024, options.count) });
  try {
    const frames = openFramePort(link);
    try {
      const port = await dataplane.openPort({ kind: "ethernet", ...link });
      const dialer = new Dialer(options, dataplane, report, {
        port,
        mac: link.mac,
        mruBytes: pppoeMru(link),
        sendDiscovery: (frame) => frames.send(frame),
      });
      frames.onFrame((frame) => dialer.discoveryFrame(frame));
      return await dialer.run(signal);
    } finally {
      frames.close();
    }
  } finally {
    await dataplane.close();
  }
}

function pppoeMru({ mtuBytes }: LinkInfo): number {
  return Math.min(PPPOE_MRU_BYTES, mtuBytes - PPPOE_OVERHEAD_BYTES);
}
