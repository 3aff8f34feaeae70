import type { DrainedView, InterfaceView } from "../../../src/gateway/operations-views.ts";
import { fragmentOf } from "../client/route.ts";
import { count, plural } from "../text/format.ts";
import { OrderButton } from "./order-button.tsx";
import { Badge } from "./pieces.tsx";

const TONES = { open: "good", draining: "warn", waiting: "bad" } as const;
const WORDS = { open: "open", draining: "draining", waiting: "not there, or down" } as const;

export function PortTable({ interfaces }: { readonly interfaces: readonly InterfaceView[] }) {
  if (interfaces.length === 0) return <p class="empty">None: subscribers come by L2TP.</p>;
  return (
    <div class="scroller">
      <table>
        <thead>
          <tr>
            <th scope="col">Port</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Sessions
            </th>
            <th scope="col" class="number">
              Setting up
            </th>
            <th scope="col" class="number">
              Waiting
            </th>
            <th scope="col" class="number">
              Refused
            </th>
            <th scope="col">
              <span class="unseen">Orders</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {interfaces.map((port) => (
            <tr key={port.interface}>
              <th scope="row">
                <a href={fragmentOf("sessions", { interface: port.interface })}>{port.interface}</a>
              </th>
              <td>
                <Badge tone={TONES[port.state]}>{WORDS[port.state]}</Badge>
              </td>
              <td class="number">{count(port.sessions)}</td>
              <td class="number">{count(port.settingUp)}</td>
              <td class="number">{count(port.waiting)}</td>
              <td class="number">{count(port.padsRefused)}</td>
              <td class="orders">
                <DrainButton port={port} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DrainButton({ port: { interface: name, state, sessions } }: { readonly port: InterfaceView }) {
  const told = ({ draining, interfaces }: DrainedView): string =>
    `${interfaces.join(", ")} ${draining ? "takes no new calls" : "takes calls again"}.`;
  return state === "draining" ? (
    <OrderButton<DrainedView>
      label="Take calls"
      fullLabel={`Take calls on ${name} again`}
      question={`Take calls on ${name} again?`}
      consequence="Subscribers can call in here again at once."
      path="v1/drain"
      body={{ draining: false, interface: name }}
      told={told}
    />
  ) : (
    <OrderButton<DrainedView>
      label="Drain"
      fullLabel={`Drain ${name}`}
      question={`Take no new calls on ${name}?`}
      consequence={`Its ${plural(sessions, "session")} go on until they end; nobody else gets in here.`}
      path="v1/drain"
      body={{ draining: true, interface: name }}
      told={told}
    />
  );
}
