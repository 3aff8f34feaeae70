import { LacewingError } from "../base/errors.ts";
import { startLoopDataplane } from "../dataplane/loop/engine.ts";
import { type FramePort, openFramePort } from "../io/frame-port.ts";
import { openHostNetwork } from "../io/native-host-network.ts";
import type { DialOptions } from "./dial-options.ts";
import { Dialer } from "./dialer.ts";
import { DialReport } from "./report.ts";

/** PPPoE's header and the PPP protocol field (RFC 2516 §7). */
const PPPOE_OVERHEAD_BYTES = 8;
/** PPP payload without PPP-Max-Payload. */
const PPPOE_MRU_BYTES = 1492;

/**
 * Brings `count` emulated subscribers up on an interface, keeps them until `signal`, and hangs up. Resolves to
 * whether all of them came up and stayed. Ends by itself when nobody is left.
 */
export async function dial(
  options: DialOptions,
  { write, signal }: { readonly write: (text: string) => void; readonly signal: AbortSignal },
): Promise<boolean> {
  const host = openHostNetwork();
  try {
    const link = host.linkByName(options.interface);
    if (link === undefined)
      throw new LacewingError("no-such-interface", `there is no interface ${options.interface}`);
    if (!link.up) throw new LacewingError("interface-down", `interface ${options.interface} is down`);
    const dataplane = await startLoopDataplane({ maxChannels: Math.max(1024, options.count) });
    let frames: FramePort | undefined;
    try {
      const discovery = openFramePort(link);
      frames = discovery;
      const port = await dataplane.openPort({ kind: "ethernet", ...link });
      const dialer = new Dialer(options, dataplane, new DialReport(options, write), {
        port,
        mac: link.mac,
        mruBytes: Math.min(PPPOE_MRU_BYTES, link.mtuBytes - PPPOE_OVERHEAD_BYTES),
        sendDiscovery: (frame) => discovery.send(frame),
      });
      discovery.onFrame((frame) => dialer.discoveryFrame(frame));
      return await dialer.run(signal);
    } finally {
      frames?.close();
      await dataplane.close();
    }
  } finally {
    host.close();
  }
}
