/** Where things stand in the picture of ports, gateway and LNSes. */

import type { NamedRateView, RatesView } from "../../../src/gateway/operations-views.ts";

export interface PictureNode {
  readonly name: string;
  /** Under its name. */
  readonly sessions: number;
  /** Octets a second, to the subscribers and from them. */
  readonly down: number;
  readonly up: number;
  /** What is wrong with it, if something is. */
  readonly trouble: string | undefined;
  readonly href: string | undefined;
}

export interface Placed extends PictureNode {
  readonly y: number;
  /** Pixels of its line. */
  readonly thickness: number;
}

/** More would be too small to read: the rest stand together. */
const MOST = 7;
export const NODE_HEIGHT = 58;
const GAP = 12;
const THINNEST = 1.5;
const THICKEST = 10;

/** Nodes of one side, one under the other, in the middle of `height`. */
export function placed(nodes: readonly PictureNode[], height: number, busiest: number): readonly Placed[] {
  const top = (height - columnHeight(nodes.length)) / 2;
  return nodes.map((node, i) => ({
    ...node,
    y: top + i * (NODE_HEIGHT + GAP),
    thickness: thicknessOf(node.down + node.up, busiest),
  }));
}

export function columnHeight(nodes: number): number {
  return Math.max(0, nodes * (NODE_HEIGHT + GAP) - GAP);
}

/** By the root: a tenth of the load is a third of the line, and is still seen. */
function thicknessOf(load: number, busiest: number): number {
  if (load <= 0 || busiest <= 0) return THINNEST;
  return THINNEST + (THICKEST - THINNEST) * Math.sqrt(Math.min(1, load / busiest));
}

/** The first ones by load, and the others as one. */
export function gathered(nodes: readonly PictureNode[]): readonly PictureNode[] {
  if (nodes.length <= MOST) return nodes;
  const byLoad = [...nodes].sort((a, b) => weight(b) - weight(a));
  const shown = byLoad.slice(0, MOST - 1);
  const rest = byLoad.slice(MOST - 1);
  const sum = (of: (node: PictureNode) => number): number =>
    rest.reduce((total, node) => total + of(node), 0);
  const troubled = rest.filter(({ trouble }) => trouble !== undefined).length;
  return [
    ...shown,
    {
      name: `${rest.length} more`,
      sessions: sum(({ sessions }) => sessions),
      down: sum(({ down }) => down),
      up: sum(({ up }) => up),
      trouble: troubled === 0 ? undefined : `${troubled} in trouble`,
      href: undefined,
    },
  ];
}

/** Trouble is never hidden behind what flows. */
function weight({ trouble, down, up, sessions }: PictureNode): number {
  return (trouble === undefined ? 0 : 1e15) + down + up + sessions;
}

/** What is terminated here: all, without what is bridged on to LNSes. */
export function endingHere({ total, ports, lnses }: RatesView): PictureNode | undefined {
  const sum = (rates: readonly NamedRateView[], of: (rate: NamedRateView) => number): number =>
    rates.reduce((all, rate) => all + of(rate), 0);
  const sessions = sum(ports, (rate) => rate.sessions) - sum(lnses, (rate) => rate.sessions);
  if (sessions <= 0) return undefined;
  return {
    name: "ends here",
    sessions,
    down: Math.max(0, total.octetsOutPerSecond - sum(lnses, (rate) => rate.octetsOutPerSecond)),
    up: Math.max(0, total.octetsInPerSecond - sum(lnses, (rate) => rate.octetsInPerSecond)),
    trouble: undefined,
    href: undefined,
  };
}

/** A name that has room for so many characters. */
export function shortened(name: string, characters: number): string {
  return name.length <= characters ? name : `${name.slice(0, characters - 1)}…`;
}
