import { useEffect, useRef, useState } from "preact/hooks";
import type { InterfaceView, RatesView } from "../../../src/gateway/operations-views.ts";
import type { LnsView } from "../../../src/gateway/views.ts";
import { fragmentOf } from "../client/route.ts";
import { bitRate, plural } from "../text/format.ts";
import {
  columnHeight,
  endingHere,
  gathered,
  NODE_HEIGHT,
  type PictureNode,
  type Placed,
  placed,
  shortened,
} from "./topology-layout.ts";

interface TopologyProps {
  readonly name: string;
  readonly rates: RatesView;
  readonly interfaces: readonly InterfaceView[];
  readonly lnses: readonly LnsView[];
}

/** Below, names and figures get less room. */
const NARROW = 560;
/** Room at the sides for the thickest border, which stands half outside its box. */
const MARGIN = 2;
/** Pixels of a character of a name, and of what stands below it, on the average. */
const NAME_CHARACTER = 7.4;
const NOTE_CHARACTER = 6.3;
const PADDING = 10;

/** Where subscribers come from and go to; lines are as thick as what flows. */
export function Topology({ name, rates, interfaces, lnses }: TopologyProps) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    // whole pixels, and no more than there are: else the picture is drawn smaller, and its lines between pixels
    const measure = () => setWidth(Math.floor(element.getBoundingClientRect().width));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const left = gathered(portsOf(rates, interfaces));
  const right = gathered(targetsOf(rates, lnses));
  const height = Math.max(columnHeight(left.length), columnHeight(right.length), 120) + 16;
  const busiest = Math.max(...[...left, ...right].map(({ down, up }) => down + up), 0);
  return (
    <div class="topology" ref={place}>
      {width > 0 && (
        <Picture
          name={name}
          width={width}
          height={height}
          left={placed(left, height, busiest)}
          right={placed(right, height, busiest)}
        />
      )}
    </div>
  );
}

interface PictureProps {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly left: readonly Placed[];
  readonly right: readonly Placed[];
}

function Picture({ name, width, height, left, right }: PictureProps) {
  const isNarrow = width < NARROW;
  const nodeWidth = isNarrow
    ? Math.floor((width - 68) / 2) - MARGIN
    : Math.min(220, Math.floor(width * 0.29));
  const gateway = isNarrow ? 24 : Math.min(140, width * 0.16);
  const centre = (width - gateway) / 2;
  const rightX = width - MARGIN - nodeWidth;
  const sides = [
    { nodes: left, x: MARGIN, from: MARGIN + nodeWidth, to: centre },
    { nodes: right, x: rightX, from: rightX, to: centre + gateway },
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is about forms
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="group"
      aria-label="Ports, gateway and LNSes"
    >
      {sides.map(({ nodes, from, to }) =>
        nodes.map((node) => <Line key={node.name} node={node} from={from} to={to} height={height} />),
      )}
      <rect class="node gateway" x={centre} y={8} width={gateway} height={height - 16} rx={8} />
      <text
        class="node-name"
        text-anchor="middle"
        transform={isNarrow ? `rotate(-90 ${width / 2} ${height / 2})` : ""}
        x={width / 2}
        y={height / 2 + 4}
      >
        {shortened(name, isNarrow ? 16 : Math.floor(gateway / 8))}
      </text>
      {sides.map(({ nodes, x }) =>
        nodes.map((node) => <Box key={node.name} node={node} x={x} width={nodeWidth} isNarrow={isNarrow} />),
      )}
    </svg>
  );
}

interface LineProps {
  readonly node: Placed;
  readonly from: number;
  readonly to: number;
  readonly height: number;
}

/** The gateway's end is where its side is, squeezed towards the middle. */
function Line({ node, from, to, height }: LineProps) {
  const y = node.y + NODE_HEIGHT / 2;
  const end = height / 2 + (y - height / 2) * 0.72;
  const middle = (from + to) / 2;
  return (
    <path
      class={node.trouble === undefined ? "flow" : "flow troubled"}
      d={`M${from} ${y}C${middle} ${y} ${middle} ${end} ${to} ${end}`}
      stroke-width={node.thickness}
    />
  );
}

interface BoxProps {
  readonly node: Placed;
  readonly x: number;
  readonly width: number;
  readonly isNarrow: boolean;
}

function Box({ node, x, width, isNarrow }: BoxProps) {
  const { name, sessions, down, up, trouble, href, y } = node;
  const fitting = (text: string, characterWidth: number): string =>
    shortened(text, Math.floor((width - 2 * PADDING) / characterWidth));
  const told = `${name}: ${plural(sessions, "session")}, ${bitRate(down)} to and ${bitRate(up)} from subscribers`;
  const content = (
    <>
      <rect
        class={trouble === undefined ? "node" : "node troubled"}
        x={x}
        y={y}
        width={width}
        height={NODE_HEIGHT}
        rx={6}
      />
      <text class="node-name" x={x + PADDING} y={y + 18}>
        {fitting(name, NAME_CHARACTER)}
      </text>
      <text class={trouble === undefined ? "node-note" : "node-note bad"} x={x + PADDING} y={y + 33}>
        {fitting(trouble === undefined ? plural(sessions, "session") : `⚠ ${trouble}`, NOTE_CHARACTER)}
      </text>
      <text class="node-note" x={x + PADDING} y={y + 48}>
        {isNarrow ? `↓ ${bitRate(down)}` : `↓ ${bitRate(down)}  ↑ ${bitRate(up)}`}
      </text>
    </>
  );
  const label = trouble === undefined ? told : `${told}; ${trouble}`;
  return href === undefined ? (
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it is no link
    <g role="img" aria-label={label}>
      {content}
    </g>
  ) : (
    <a href={href} aria-label={label}>
      {content}
    </a>
  );
}

const NO_RATE = { octetsInPerSecond: 0, octetsOutPerSecond: 0, sessions: 0 };

/** Access interfaces, whether or not something flows, and peers that bring subscribers. */
function portsOf(rates: RatesView, interfaces: readonly InterfaceView[]): readonly PictureNode[] {
  const states = new Map(interfaces.map((each) => [each.interface, each]));
  const names = new Set([...states.keys(), ...rates.ports.map(({ name }) => name)]);
  return [...names].map((name) => {
    const rate = rates.ports.find((each) => each.name === name) ?? NO_RATE;
    const access = states.get(name);
    return {
      name,
      sessions: access?.sessions ?? rate.sessions,
      down: rate.octetsOutPerSecond,
      up: rate.octetsInPerSecond,
      trouble:
        access?.state === "waiting"
          ? "not there, or down"
          : access?.state === "draining"
            ? "draining"
            : undefined,
      href: fragmentOf("sessions", { interface: name }),
    };
  });
}

const TROUBLES: Partial<Record<LnsView["state"], string>> = {
  "locked-out": "locked out",
  "not-answering": "not answering",
  slow: "slow",
};

/** LNSes, whether or not something flows, and what ends here. */
function targetsOf(rates: RatesView, lnses: readonly LnsView[]): readonly PictureNode[] {
  const states = new Map(lnses.map((each) => [each.peer, each]));
  const names = new Set([...states.keys(), ...rates.lnses.map(({ name }) => name)]);
  const nodes = [...names].map((name) => {
    const rate = rates.lnses.find((each) => each.name === name) ?? NO_RATE;
    const lns = states.get(name);
    return {
      name,
      sessions: lns?.sessions ?? rate.sessions,
      down: rate.octetsOutPerSecond,
      up: rate.octetsInPerSecond,
      trouble: lns && TROUBLES[lns.state],
      href: fragmentOf("sessions", { lns: name }),
    };
  });
  const here = endingHere(rates);
  return here === undefined ? nodes : [...nodes, here];
}
