import type { DrainedView, InterfaceView } from "../../../src/gateway/operations-views.ts";
import { fragmentOf } from "../client/route.ts";
import { count, plural } from "../text/format.ts";
import { type DataColumn, DataTable } from "./data-table.tsx";
import { OrderButton } from "./order-button.tsx";
import { Badge } from "./pieces.tsx";

const TONES = { open: "good", draining: "warn", waiting: "bad" } as const;
const WORDS = { open: "open", draining: "draining", waiting: "not there, or down" } as const;

const COLUMNS: readonly DataColumn<InterfaceView>[] = [
  {
    title: "Port",
    cell: ({ interface: name }) => <a href={fragmentOf("sessions", { interface: name })}>{name}</a>,
  },
  { title: "State", cell: ({ state }) => <Badge tone={TONES[state]}>{WORDS[state]}</Badge> },
  { title: "Sessions", isNumber: true, cell: ({ sessions }) => count(sessions) },
  { title: "Setting up", isNumber: true, cell: ({ settingUp }) => count(settingUp) },
  { title: "Waiting", isNumber: true, cell: ({ waiting }) => count(waiting) },
  { title: "Refused", isNumber: true, cell: ({ padsRefused }) => count(padsRefused) },
  { title: "Orders", isTitleUnseen: true, cell: (port) => <DrainButton port={port} /> },
];

export function PortTable({ interfaces }: { readonly interfaces: readonly InterfaceView[] }) {
  if (interfaces.length === 0) return <p class="empty">None: subscribers come by L2TP.</p>;
  return (
    <DataTable label="Access ports" columns={COLUMNS} rows={interfaces} keyOf={(port) => port.interface} />
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
