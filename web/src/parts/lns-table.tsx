import type { ClearedView, RatesView } from "../../../src/gateway/operations-views.ts";
import type { LnsView } from "../../../src/gateway/views.ts";
import type { Polled } from "../client/poll.ts";
import { fragmentOf } from "../client/route.ts";
import { bitRate, count, countdown } from "../text/format.ts";
import { OrderButton } from "./order-button.tsx";
import { Badge, useNow, Waiting } from "./pieces.tsx";

const TONES = { up: "good", calling: "plain", idle: "plain", slow: "warn", "locked-out": "bad" } as const;
const WORDS = {
  up: "up",
  calling: "calling",
  idle: "idle",
  slow: "slow",
  "locked-out": "locked out",
} as const;

interface LnsTableProps {
  readonly lnses: Polled<readonly LnsView[]>;
  readonly rates: RatesView | undefined;
}

export function LnsTable({ lnses, rates }: LnsTableProps) {
  const now = useNow();
  if (lnses.value === undefined) return <Waiting failure={lnses.failure} />;
  if (lnses.value.length === 0) return <p class="empty">No LNS is configured: subscribers end here.</p>;
  const since = Math.max(0, (now - lnses.at) / 1000);
  const loads = new Map(rates?.lnses.map((rate) => [rate.name, rate]));
  return (
    <div class="scroller">
      <table>
        <thead>
          <tr>
            <th scope="col">LNS</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Sessions
            </th>
            <th scope="col" class="number">
              Tunnels
            </th>
            <th scope="col" class="number">
              ↓ / ↑
            </th>
            <th scope="col">
              <span class="unseen">Orders</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {lnses.value.map((lns) => (
            <LnsRow key={`${lns.group} ${lns.peer}`} lns={lns} load={loads.get(lns.peer)} since={since} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LnsRowProps {
  readonly lns: LnsView;
  readonly load: RatesView["lnses"][number] | undefined;
  /** Seconds since we were told. */
  readonly since: number;
}

function LnsRow({ lns, load, since }: LnsRowProps) {
  const { group, peer, state, lockedForSeconds, reason, sessions, tunnels } = lns;
  return (
    <tr>
      <th scope="row">
        <a href={fragmentOf("sessions", { lns: peer })}>{peer}</a>
        {group !== null && <span class="muted"> in {group}</span>}
      </th>
      <td>
        <Badge tone={TONES[state]}>{WORDS[state]}</Badge>{" "}
        {lockedForSeconds !== null && (
          <span class="number">for {countdown(lockedForSeconds - since)} more</span>
        )}
        {reason !== null && <div class="muted reason">{reason}</div>}
      </td>
      <td class="number">{count(sessions)}</td>
      <td class="number">{count(tunnels)}</td>
      <td class="number">
        {load === undefined
          ? "–"
          : `${bitRate(load.octetsOutPerSecond)} / ${bitRate(load.octetsInPerSecond)}`}
      </td>
      <td class="orders">
        {state === "locked-out" && (
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
        )}
      </td>
    </tr>
  );
}
