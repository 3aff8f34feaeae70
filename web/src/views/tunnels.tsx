import type { EndedView, RatesView } from "../../../src/gateway/operations-views.ts";
import type { LnsView, TunnelView } from "../../../src/gateway/views.ts";
import { usePoll } from "../client/poll.ts";
import { fragmentOf } from "../client/route.ts";
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

function TunnelTable({ tunnels }: { readonly tunnels: readonly TunnelView[] }) {
  if (tunnels.length === 0) return <p class="empty">There is none at the moment.</p>;
  return (
    <div class="scroller">
      <table>
        <thead>
          <tr>
            <th scope="col">Tunnel</th>
            <th scope="col">Peer</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Sessions
            </th>
            <th scope="col" class="number">
              Round trip
            </th>
            <th scope="col" class="number">
              Sent again
            </th>
            <th scope="col" class="number">
              Window
            </th>
            <th scope="col">
              <span class="unseen">Orders</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tunnels.slice(0, SHOWN).map((tunnel) => (
            <TunnelRow key={tunnel.localTunnelId} tunnel={tunnel} />
          ))}
        </tbody>
      </table>
      {tunnels.length > SHOWN && <p class="muted">The first {count(SHOWN)} are shown.</p>}
    </div>
  );
}

function TunnelRow({ tunnel }: { readonly tunnel: TunnelView }) {
  const { localTunnelId: id, remoteTunnelId, peer, hostName, remoteAddress, remotePort, sessions } = tunnel;
  const { tone, word } = STATES[tunnel.state];
  return (
    <tr>
      <th scope="row">
        <a href={fragmentOf("why", { tunnel: String(id) })} title="Its story">
          {id}
        </a>
        <span class="muted">
          {tunnel.initiator ? " → " : " ← "}
          {remoteTunnelId}
        </span>
      </th>
      <td>
        {peer ?? hostName ?? "unknown"}{" "}
        <span class="muted">
          {remoteAddress.includes(":") ? `[${remoteAddress}]` : remoteAddress}:{remotePort}
        </span>
      </td>
      <td>
        <Badge tone={tone}>{word}</Badge>{" "}
        {tunnel.establishedForSeconds !== null && (
          <span class="muted number">{duration(tunnel.establishedForSeconds)}</span>
        )}
      </td>
      <td class="number">{count(sessions)}</td>
      <td class="number">{tunnel.roundTripMs === null ? "–" : `${tunnel.roundTripMs.toFixed(1)} ms`}</td>
      <td class="number">{count(tunnel.retransmitted)}</td>
      <td class="number">
        {tunnel.peerWindow}
        {tunnel.windowStalls > 0 && <span class="muted">, {count(tunnel.windowStalls)} stalls</span>}
      </td>
      <td class="orders">
        {tunnel.state !== "closing" && (
          <OrderButton<EndedView>
            label="End"
            fullLabel={`End tunnel ${id}`}
            question={`End tunnel ${id} with ${peer ?? hostName ?? remoteAddress}?`}
            consequence={`${plural(sessions, "session")} end with it; who is carried to an LNS may call again at once.`}
            path="v1/end"
            body={{ tunnel: id, reason: "ended by the operator, on the page" }}
            isGrave
            told={(ended) =>
              `${plural(ended.tunnels, "tunnel")} and ${plural(ended.sessions, "session")} are being ended.`
            }
          />
        )}
      </td>
    </tr>
  );
}
