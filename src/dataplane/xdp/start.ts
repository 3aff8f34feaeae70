import type { Logger } from "../../base/logger.ts";
import type { Dataplane } from "../../channel/dataplane.ts";
import { ClearNextHops } from "../../io/clear-next-hops.ts";
import { openIpsecPolicies } from "../../io/ipsec-policies.ts";
import { openLinkFeatures } from "../../io/native-link-features.ts";
import { openNextHops } from "../../io/next-hops.ts";
import { openXdp, type XdpAddon, type XdpProgram, type XdpSizes } from "../../io/xdp.ts";
import type { LoopOptions } from "../loop/options.ts";
import type { LoopEngine } from "../loop/threaded-loop.ts";
import { XdpDataplane } from "./engine.ts";
import type { ModePolicy } from "./interfaces.ts";
import { loadRefusal } from "./load-refusal.ts";
import { programSizes } from "./sizes.ts";

export interface XdpOptions extends Pick<LoopOptions, "maxPorts" | "maxPeers" | "maxChannels"> {
  /** "auto" when absent. */
  readonly mode?: ModePolicy;
  readonly logger: Logger;
}

/**
 * Puts the program above a loop that runs: the engine that uses both, or why that cannot be. The loop is its caller's
 * then, and as it was. `addon`: the one that was built, when absent.
 */
export function startXdpDataplane(
  beneath: LoopEngine,
  options: XdpOptions,
  addon: XdpAddon | string = openXdp(),
): Dataplane | string {
  const sizes = programSizes(options);
  const program = loadProgram(addon, sizes);
  if (typeof program === "string") return program;
  const opened: { close(): void }[] = [program];
  try {
    const routed = openNextHops();
    opened.push(routed);
    const policies = openIpsecPolicies();
    opened.push(policies);
    const hops = new ClearNextHops(routed, policies);
    const features = openLinkFeatures();
    opened.push(features);
    const { mode = "auto", logger } = options;
    if (!program.quick)
      logger.info({}, "without CAP_PERFMON the kernel makes the program some three times as slow");
    return new XdpDataplane(beneath, { program, sizes, hops, features, mode, logger });
  } catch (error) {
    for (const part of opened) part.close();
    return loadRefusal(error);
  }
}

function loadProgram(addon: XdpAddon | string, sizes: XdpSizes): XdpProgram | string {
  if (typeof addon === "string") return addon;
  try {
    return addon.load(sizes);
  } catch (error) {
    return loadRefusal(error);
  }
}
