import type { ClearedView, RatesView } from "../../../src/gateway/operations-views.ts";
import type { LnsView } from "../../../src/gateway/views.ts";
import type { Polled } from "../client/poll.ts";
import { fragmentOf } from "../client/route.ts";
import { bitRate, count } from "../text/format.ts";
import { type DataColumn, DataTable } from "./data-table.tsx";
import { OrderButton } from "./order-button.tsx";
import { Badge, Countdown, Waiting } from "./pieces.tsx";

const TONES = {
  up: "good",
  calling: "plain",
  idle: "plain",
  slow: "warn",
  "not-answering": "bad",
  "locked-out": "bad",
} as const;
const WORDS = {
  up: "up",
  calling: "calling",
  idle: "idle",
  slow: "slow",
  "not-answering": "not answering",
  "locked-out": "locked out",
} as const;

interface LnsTableProps {
  readonly lnses: Polled<readonly LnsView[]>;
  readonly rates: RatesView | undefined;
}

export function LnsTable({ lnses, rates }: LnsTableProps) {
  if (lnses.value === undefined) return <Waiting failure={lnses.failure} />;
  if (lnses.value.length === 0) return <p class="empty">No LNS is configured: subscribers end here.</p>;
  const loads = new Map(rates?.lnses.map((rate) => [rate.name, rate]));
  const columns: readonly DataColumn<LnsView>[] = [
    { title: "LNS", cell: ({ peer, group }) => <Name peer={peer} group={group} /> },
    { title: "State", cell: (lns) => <State lns={lns} at={lnses.at} /> },
    { title: "Sessions", isNumber: true, cell: ({ sessions }) => count(sessions) },
    { title: "Tunnels", isNumber: true, cell: ({ tunnels }) => count(tunnels) },
    {
      title: "↓ / ↑",
      spoken: "To and from subscribers",
      isNumber: true,
      cell: ({ peer }) => loadText(loads.get(peer)),
    },
    { title: "Orders", isTitleUnseen: true, cell: (lns) => <ClearButton lns={lns} /> },
  ];
  return (
    <DataTable
      label="LNSes"
      columns={columns}
      rows={lnses.value}
      keyOf={({ group, peer }) => `${group} ${peer}`}
    />
  );
}

function Name({ peer, group }: Pick<LnsView, "peer" | "group">) {
  return (
    <>
      <a class="long" href={fragmentOf("sessions", { lns: peer })}>
        {peer}
      </a>
      {group !== null && <span class="muted"> in {group}</span>}
    </>
  );
}

interface StateProps {
  readonly lns: LnsView;
  /** When we were told, performance.now(). */
  readonly at: number;
}

function State({ lns: { state, lockedForSeconds, reason }, at }: StateProps) {
  return (
    <>
      <Badge tone={TONES[state]}>{WORDS[state]}</Badge>{" "}
      {lockedForSeconds !== null && (
        <span>
          for <Countdown until={at + 1000 * lockedForSeconds} /> more
        </span>
      )}
      {reason !== null && <div class="muted reason">{reason}</div>}
    </>
  );
}

function loadText(load: RatesView["lnses"][number] | undefined): string {
  if (load === undefined) return "–";
  return `${bitRate(load.octetsOutPerSecond)} / ${bitRate(load.octetsInPerSecond)}`;
}

function ClearButton({ lns: { peer, state } }: { readonly lns: LnsView }) {
  if (state !== "locked-out") return null;
  return (
    <OrderButton<ClearedView>
      label="Clear lockout"
      fullLabel={`Clear the lockout of ${peer}`}
      question={`Let calls go to ${peer} again?`}
      consequence="The next subscribers may be called through it. If it still does not answer, they wait, and it is locked out again."
      path="v1/lockouts/clear"
      body={{ lns: peer }}
      told={({ cleared }) =>
        cleared.length === 0
          ? "Nothing was locked out any more."
          : `${cleared.join(", ")}: calls go there again.`
      }
    />
  );
}
