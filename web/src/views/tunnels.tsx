import type { EndedView, RatesView } from "../../../src/gateway/operations-views.ts";
import type { LnsView, TunnelView } from "../../../src/gateway/views.ts";
import { usePoll } from "../client/poll.ts";
import { fragmentOf } from "../client/route.ts";
import { type DataColumn, DataTable } from "../parts/data-table.tsx";
import { LnsTable } from "../parts/lns-table.tsx";
import { OrderButton } from "../parts/order-button.tsx";
import { Badge, Panel, Waiting } from "../parts/pieces.tsx";
import { count, duration, plural } from "../text/format.ts";

const MS = 2000;
/** Nobody reads more at once; the others are found by their LNS. */
const SHOWN = 500;

export function Tunnels({ rates }: { readonly rates: RatesView | undefined }) {
  const lnses = usePoll<readonly LnsView[]>("v1/lns", MS);
  const tunnels = usePoll<readonly TunnelView[]>("v1/tunnels", MS);
  return (
    <>
      <Panel title="LNSes">
        <LnsTable lnses={lnses} rates={rates} />
      </Panel>
      <Panel title="Tunnels" note={tunnels.value !== undefined && plural(tunnels.value.length, "tunnel")}>
        {tunnels.value === undefined ? (
          <Waiting failure={tunnels.failure} />
        ) : (
          <TunnelTable tunnels={tunnels.value} />
        )}
      </Panel>
    </>
  );
}

const STATES = {
  "wait-ctl-reply": { tone: "plain", word: "opening: no answer yet" },
  "wait-ctl-conn": { tone: "plain", word: "opening" },
  established: { tone: "good", word: "established" },
  closing: { tone: "warn", word: "closing" },
} as const;

const COLUMNS: readonly DataColumn<TunnelView>[] = [
  { title: "Tunnel", cell: (tunnel) => <Ids tunnel={tunnel} /> },
  { title: "Peer", cell: (tunnel) => <Peer tunnel={tunnel} /> },
  { title: "State", cell: (tunnel) => <State tunnel={tunnel} /> },
  { title: "Sessions", isNumber: true, cell: ({ sessions }) => count(sessions) },
  {
    title: "Round trip",
    isNumber: true,
    cell: ({ roundTripMs }) => (roundTripMs === null ? "–" : `${roundTripMs.toFixed(1)} ms`),
  },
  { title: "Sent again", isNumber: true, cell: ({ retransmitted }) => count(retransmitted) },
  { title: "Window", isNumber: true, cell: (tunnel) => <Window tunnel={tunnel} /> },
  { title: "Orders", isTitleUnseen: true, cell: (tunnel) => <EndButton tunnel={tunnel} /> },
];

interface TunnelProps {
  readonly tunnel: TunnelView;
}

function TunnelTable({ tunnels }: { readonly tunnels: readonly TunnelView[] }) {
  if (tunnels.length === 0) return <p class="empty">There is none at the moment.</p>;
  return (
    <>
      <DataTable
        label="Tunnels"
        columns={COLUMNS}
        rows={tunnels.slice(0, SHOWN)}
        keyOf={({ localTunnelId }) => localTunnelId}
      />
      {tunnels.length > SHOWN && <p class="muted">The first {count(SHOWN)} are shown.</p>}
    </>
  );
}

function Ids({ tunnel: { localTunnelId: id, remoteTunnelId, initiator } }: TunnelProps) {
  return (
    <>
      <a href={fragmentOf("why", { tunnel: String(id) })} title="Its story">
        {id}
      </a>
      <span class="muted">
        {initiator ? " → " : " ← "}
        {remoteTunnelId}
      </span>
    </>
  );
}

function Peer({ tunnel: { peer, hostName, remoteAddress, remotePort } }: TunnelProps) {
  return (
    <>
      {peer ?? hostName ?? "unknown"}{" "}
      <span class="muted long">
        {remoteAddress.includes(":") ? `[${remoteAddress}]` : remoteAddress}:{remotePort}
      </span>
    </>
  );
}

function State({ tunnel: { state, establishedForSeconds, notAnsweringForSeconds } }: TunnelProps) {
  const { tone, word } = STATES[state];
  if (notAnsweringForSeconds !== null)
    return (
      <>
        <Badge tone="bad">not answering</Badge>{" "}
        <span class="muted">for {duration(notAnsweringForSeconds)}</span>
      </>
    );
  return (
    <>
      <Badge tone={tone}>{word}</Badge>{" "}
      {establishedForSeconds !== null && <span class="muted">{duration(establishedForSeconds)}</span>}
    </>
  );
}

function Window({ tunnel: { peerWindow, windowStalls } }: TunnelProps) {
  return (
    <>
      {peerWindow}
      {windowStalls > 0 && <span class="muted">, {plural(windowStalls, "stall")}</span>}
    </>
  );
}

function EndButton({ tunnel }: TunnelProps) {
  const { localTunnelId: id, state, sessions, remoteAddress } = tunnel;
  if (state === "closing") return null;
  return (
    <OrderButton<EndedView>
      label="End"
      fullLabel={`End tunnel ${id}`}
      question={`End tunnel ${id} with ${tunnel.peer ?? tunnel.hostName ?? remoteAddress}?`}
      consequence={`${plural(sessions, "session")} end with it; who is carried to an LNS may call again at once.`}
      path="v1/end"
      body={{ tunnel: id, reason: "ended by the operator, on the page" }}
      isGrave
      told={(ended) =>
        `${plural(ended.tunnels, "tunnel")} and ${plural(ended.sessions, "session")} are being ended.`
      }
    />
  );
}
