import { useMemo } from "preact/hooks";
import type { DropView, HealthView, ProblemView, RatesView } from "../../../src/gateway/operations-views.ts";
import type { LnsView } from "../../../src/gateway/views.ts";
import { columnsOf, type History } from "../client/history.ts";
import { type Polled, usePoll } from "../client/poll.ts";
import { Chart, type Series } from "../parts/chart.tsx";
import { EventFeed } from "../parts/event-feed.tsx";
import { LnsTable } from "../parts/lns-table.tsx";
import { Panel, Waiting } from "../parts/pieces.tsx";
import { PortTable } from "../parts/port-table.tsx";
import { Topology } from "../parts/topology.tsx";
import { bitRate, count, perSecond, plural } from "../text/format.ts";

interface OverviewProps {
  readonly health: Polled<HealthView>;
  readonly rates: Polled<RatesView>;
  readonly history: History;
}

const SLOW_MS = 2000;
const DROPS_SHOWN = 6;

const TRAFFIC: readonly Series[] = [
  { label: "to subscribers", colour: "--down", isFilled: true },
  { label: "from subscribers", colour: "--up" },
];
const SETUPS: readonly Series[] = [{ label: "sessions set up a second", colour: "--accent", isFilled: true }];

/** One screen: what is wrong first, then what flows. */
export function Overview({ health, rates, history }: OverviewProps) {
  const lnses = usePoll<readonly LnsView[]>("v1/lns", SLOW_MS);
  const drops = usePoll<readonly DropView[]>("v1/drops", SLOW_MS);
  const traffic = useMemo(() => columnsOf(history, [0, 1]), [history]);
  const setups = useMemo(() => columnsOf(history, [2]), [history]);
  if (health.value === undefined || rates.value === undefined)
    return <Waiting failure={health.failure ?? rates.failure} />;
  const { status, problems, interfaces, tunnelsByState } = health.value;
  const { total, setupsPerSecond } = rates.value;
  const established = tunnelsByState.established ?? 0;
  const settingUp = status.sessions - status.openSessions - (health.value.sessionsByState.closing ?? 0);
  return (
    <div class="overview">
      <Problems problems={problems} />
      <dl class="tiles">
        <Tile
          id="online"
          label="Sessions online"
          value={count(status.openSessions)}
          note={`${count(Math.max(0, settingUp))} setting up`}
        />
        <Tile
          id="setups"
          label="Set up a second"
          value={perSecond(setupsPerSecond)}
          note="over the last second"
        />
        <Tile
          id="down"
          label="To subscribers"
          value={bitRate(total.octetsOutPerSecond)}
          note={`${count(total.framesOutPerSecond)} frames/s`}
          mark="down"
        />
        <Tile
          id="up"
          label="From subscribers"
          value={bitRate(total.octetsInPerSecond)}
          note={`${count(total.framesInPerSecond)} frames/s`}
          mark="up"
        />
        <Tile
          id="tunnels"
          label="Tunnels"
          value={count(established)}
          note={`${count(Math.max(0, status.tunnels - established))} opening or closing`}
        />
      </dl>
      <Panel title="Ports, gateway, LNSes" className="whole" note="lines are as thick as what flows">
        <Topology name={status.name} rates={rates.value} interfaces={interfaces} lnses={lnses.value ?? []} />
      </Panel>
      <Panel title="Throughput" className="wide" note={<Legend series={TRAFFIC} />}>
        <Chart
          label={`Throughput of the last five minutes; now ${bitRate(total.octetsOutPerSecond)} to and ${bitRate(total.octetsInPerSecond)} from subscribers`}
          series={TRAFFIC}
          columns={traffic}
          height={200}
          format={bitRate}
        />
      </Panel>
      <Panel title="Set-up rate" note="sessions a second">
        <Chart
          label={`Sessions set up a second, of the last five minutes; now ${perSecond(setupsPerSecond)}`}
          series={SETUPS}
          columns={setups}
          height={200}
          format={perSecond}
        />
      </Panel>
      <Panel title="LNSes" className="wide">
        <LnsTable lnses={lnses} rates={rates.value} />
      </Panel>
      <Panel title="Happening" className="tall" note="newest first">
        <EventFeed />
      </Panel>
      <Panel title="Access ports" className="wide">
        <PortTable interfaces={interfaces} />
      </Panel>
      <Panel title="Dropped frames" className="whole" note="since the start">
        <Drops drops={drops} />
      </Panel>
    </div>
  );
}

function Problems({ problems }: { readonly problems: readonly ProblemView[] }) {
  return (
    <div class="problems">
      {/* their texts count down: who listens hears of how many there are, when that changes */}
      <p class="unseen" role="status">
        {problems.length === 0 ? "" : plural(problems.length, "problem")}
      </p>
      {problems.length === 0 ? (
        <p class="well">
          <span aria-hidden="true">✓</span> Nothing is wrong.
        </p>
      ) : (
        <ul>
          {problems.map(({ severity, code, text, hint }) => (
            <li key={`${code} ${text.replaceAll(/\d+/g, "")}`} class={severity}>
              <strong>{severity === "error" ? "Error" : "Warning"}</strong> {text}{" "}
              <span class="hint">{hint}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface TileProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly mark?: "down" | "up";
}

function Tile({ id, label, value, note, mark }: TileProps) {
  return (
    <div class="tile" data-tile={id}>
      <dt>
        {mark !== undefined && <i class={`mark ${mark}`} aria-hidden="true" />}
        {label}
      </dt>
      <dd class="value">{value}</dd>
      <dd class="note">{note}</dd>
    </div>
  );
}

function Legend({ series }: { readonly series: readonly Series[] }) {
  return (
    <>
      {series.map(({ label, colour }) => (
        <span key={label} class="legend">
          <i class={`mark ${colour.slice(2)}`} aria-hidden="true" />
          {label}
        </span>
      ))}
    </>
  );
}

function Drops({ drops }: { readonly drops: Polled<readonly DropView[]> }) {
  if (drops.value === undefined) return <Waiting failure={drops.failure} />;
  const some = drops.value.filter(({ frames }) => frames > 0).slice(0, DROPS_SHOWN);
  if (some.length === 0) return <p class="empty">None.</p>;
  return (
    <ul class="drops">
      {some.map(({ reason, frames, meaning }) => (
        <li key={reason}>
          <span class="number">{count(frames)}</span>
          <span>
            <code>{reason}</code> <span class="muted">{meaning}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
