import { type Extent, LeftOut, type Scene } from "./benchmark.ts";
import { closedLoop } from "./closed-loop.ts";
import type { Load } from "./frames-tool.ts";
import { loadsOf, type NamedLoad } from "./loads.ts";
import { type Outside, OVER_IPV4, OVER_IPV6 } from "./namespaces.ts";
import type { Comparison } from "./results.ts";
import type { Stage } from "./stage.ts";
import { TrafficStage } from "./traffic-stage.ts";

const SESSIONS = 1000;
/** What the engine must reach of a bare redirect: as configured by default, and without UDP checksums. */
const OF_REDIRECT = { floor: 0.6, goal: 0.75 };
const OF_REDIRECT_UNCHECKED = { floor: 0.7, goal: 0.85 };
/** What many sessions must reach of one. */
const OF_ONE_SESSION = { floor: 0.8, goal: 0.9 };
const SESSIONS_OCTETS = 128;
const BY_XDP = { byXdp: true };

/** Frames through a LAC whose frames never leave the kernel, and through a bare redirect. */
export function xdpScene(extent: Extent): Scene<TrafficStage> {
  // of both at once, what lies between says nothing new
  const both = loadsOf({ ...extent, sizes: extent.sizes.slice(0, 1) }, ["both"]);
  return sceneOf(extent, [...loadsOf(extent, ["up", "down"]), ...both], USUAL);
}

/** The same without UDP checksums. */
export function uncheckedXdpScene(extent: Extent): Scene<TrafficStage> {
  const { sizes } = extent;
  // the least and the most: what a sum costs grows with what is summed
  const ends = { ...extent, sizes: [...new Set([sizes[0]!, sizes.at(-1)!])] };
  // towards subscribers there is no sum to be made
  return sceneOf(ends, loadsOf(ends, ["up"]), {
    suffix: "/no-checksum",
    udpChecksum: false,
    outside: OVER_IPV4,
    ofRedirect: OF_REDIRECT_UNCHECKED,
  });
}

/** The same with LNSes that are addressed by IPv6. */
export function ipv6XdpScene(extent: Extent): Scene<TrafficStage> {
  const least = { ...extent, sizes: extent.sizes.slice(0, 1) };
  return sceneOf(least, loadsOf(least, ["up", "down"]), {
    suffix: "/ipv6",
    udpChecksum: true,
    outside: OVER_IPV6,
    ofRedirect: {},
  });
}

/** How frames go to the LNSes, what then is asked of them, and what the figures' names end with. */
interface Manner {
  readonly suffix: string;
  readonly udpChecksum: boolean;
  readonly outside: Outside;
  readonly ofRedirect: Pick<Comparison, "floor" | "goal">;
}

const USUAL: Manner = { suffix: "", udpChecksum: true, outside: OVER_IPV4, ofRedirect: OF_REDIRECT };

function sceneOf(
  extent: Extent,
  loads: readonly NamedLoad[],
  { suffix, udpChecksum, outside, ofRedirect }: Manner,
): Scene<TrafficStage> {
  const other = (size: string): string => `ceiling/xdp-redirect/${size}/beside-xdp${suffix}`;
  const ceilings = loadsOf(extent, ["up"]);
  return {
    name: `xdp${suffix}`,
    benchmarks: [
      ...ceilings.map(({ size, load, sessions }) =>
        closedLoop(other(size), "redirect", sessions, load, BY_XDP),
      ),
      ...loads.map(({ path, load, sessions }) =>
        closedLoop(`xdp/lac/${path}${suffix}`, "lac", sessions, load, BY_XDP),
      ),
    ],
    comparisons: loads.map(({ path, size }) => ({
      own: `xdp/lac/${path}${suffix}`,
      other: other(size),
      ...ofRedirect,
    })),
    open: () =>
      TrafficStage.open(
        { sessions: SESSIONS, beside: ["ceiling"], engine: "xdp", udpChecksum, outside },
        runsOnXdp,
      ),
  };
}

/** As many sessions as traffic goes through. */
export function xdpSessionsScene(extent: Extent): Scene<TrafficStage> {
  const counts = extent.sessionCounts;
  const nameOf = (count: number): string => `xdp/lac/both/${SESSIONS_OCTETS}B/sessions-${count}`;
  const load: Load = {
    direction: "both",
    sizes: `${SESSIONS_OCTETS}`,
    milliseconds: extent.closedLoopMs,
  };
  return {
    name: "xdp, many sessions",
    benchmarks: counts.map((count) =>
      closedLoop(nameOf(count), "lac", (stage) => stage.first(count), load, BY_XDP),
    ),
    comparisons: counts
      .slice(1)
      .map((count) => ({ own: nameOf(count), other: nameOf(counts[0]!), ...OF_ONE_SESSION })),
    open: () => TrafficStage.open({ sessions: counts.at(-1)!, beside: [], engine: "xdp" }, runsOnXdp),
  };
}

/** It says itself why it forwards somebody's frames otherwise. */
async function runsOnXdp(stage: Stage): Promise<void> {
  const { engine, interfaces } = await stage.lac.read("status");
  if (engine !== "xdp")
    throw new LeftOut(
      `the gateway runs on ${engine}: ${stage.lac.child.said("xdp") ?? "it does not say why"}`,
    );
  // a generic program is fed by skbs, which a bare redirect never sees
  if (interfaces === null || /\((loop|generic)/.test(interfaces))
    throw new LeftOut(`the gateway forwards ${interfaces}`);
}
