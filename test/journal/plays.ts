import { expect } from "vitest";
import type { StoryView, Subject } from "../../src/journal/story-view.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { type Alone, type Node, type Pair, startAlone, startPair, World } from "../support/world.ts";
import { HandHost } from "./hand-host.ts";

/** Something goes wrong, and somebody asks why. */
export type Play = () => Promise<StoryView>;

const PTA_YAML = `
name: pta
access: [{ interface: acc0, ACCESS }]
default: { terminate: local, DESTINATION }
units:
  local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 }
users-file: users.yaml
`;

/** A gateway that subscribers end at, with more keys for its access interface and its destination. */
export async function pta(
  access = "",
  change: (yaml: string) => string = (yaml) => yaml,
): Promise<Alone & { readonly world: World }> {
  const world = new World(7);
  const yaml = change(PTA_YAML.replace(", ACCESS", access === "" ? "" : `, ${access}`)).replace(
    ", DESTINATION",
    "",
  );
  return { world, ...(await startAlone(world, yaml, USERS_YAML)) };
}

/** The same with a host that is played by hand. */
export async function handHost(...keys: Parameters<typeof pta>) {
  const alone = await pta(...keys);
  return { ...alone, host: new HandHost(alone.world, alone.node) };
}

/** A LAC and an LNS, with more keys for their peers. */
export async function pair(
  change: { readonly lac?: (yaml: string) => string; readonly lns?: (yaml: string) => string } = {},
): Promise<Pair & { readonly world: World }> {
  const same = (yaml: string): string => yaml;
  const world = new World(8);
  const { lac = same, lns = same } = change;
  return { world, ...(await startPair(world, lac(LAC_YAML), lns(LNS_YAML), USERS_YAML)) };
}

export async function ask(node: Node, subject: Subject): Promise<StoryView> {
  const story = await node.journal.explain(subject);
  expect(story.found).toBe(true);
  return story;
}
