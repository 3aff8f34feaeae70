import type { Dataplane } from "../channel/dataplane.ts";
import type { AccessLine } from "./access-line.ts";
import type { Gateway } from "./gateway.ts";
import type { IdentityView, InterfaceView } from "./operations-views.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";
import type { ChannelView, CountersView, LnsView, SessionView, StatusView, TunnelView } from "./views.ts";

/** The gateway as an operator's tools see it. */
export class GatewayViews {
  readonly #gateway: Gateway;
  readonly #around: Surroundings;
  readonly #startedAt: number;
  readonly #startedInstant: number;

  constructor(gateway: Gateway, around: Surroundings) {
    this.#gateway = gateway;
    this.#around = around;
    this.#startedAt = around.clock.wallClock();
    this.#startedInstant = around.clock.now();
  }

  identity(): IdentityView {
    return {
      name: this.#around.config.name,
      engine: this.#around.dataplane.engine,
      startedAt: new Date(this.#startedAt).toISOString(),
    };
  }

  status(): StatusView {
    let sessions = 0;
    let openSessions = 0;
    let channels = 0;
    for (const session of this.#gateway.sessions) {
      sessions += 1;
      if (session.isOpen) openSessions += 1;
      channels += session.channels().length;
    }
    return {
      ...this.identity(),
      pid: process.pid,
      interfaces: interfacesOf(this.#around.dataplane),
      uptimeSeconds: Math.floor((this.#around.clock.now() - this.#startedInstant) / 1000),
      sessions,
      openSessions,
      tunnels: this.tunnels().length,
      channels,
      preallocatedBytes: this.#around.dataplane.preallocated.bytes,
      preallocatedBytesPerChannel: this.#around.dataplane.preallocated.bytesPerChannel,
    };
  }

  sessions(): readonly SessionView[] {
    return [...this.#gateway.sessions].map((session) => session.view());
  }

  tunnels(): readonly TunnelView[] {
    return this.#gateway.tunnels?.views() ?? [];
  }

  lns(): readonly LnsView[] {
    return this.#gateway.lnsViews();
  }

  channels(): readonly ChannelView[] {
    return [...this.#gateway.sessions].flatMap((session) => this.channelsOf(session));
  }

  channelsOf(session: Session): readonly ChannelView[] {
    return session.channels().map((view) => ({
      ...view,
      session: session.id,
      ...this.#around.dataplane.counters(view.channel),
    }));
  }

  interfaces(): readonly InterfaceView[] {
    return this.#gateway.lines.map(interfaceView);
  }

  counters(): CountersView {
    const counters: Record<string, number> = this.#gateway.counters();
    for (const [reason, count] of Object.entries(this.#around.dataplane.drops()))
      counters[`drops.${reason}`] = count;
    return counters;
  }
}

function interfaceView(line: AccessLine): InterfaceView {
  const discovery = line.discovery();
  const { counters, load } = discovery ?? {};
  const refused = Object.values(counters?.padsRefused ?? {});
  const whileOpen = line.draining ? "draining" : "open";
  return {
    interface: line.config.interface,
    state: discovery === undefined ? "waiting" : whileOpen,
    linkBitsPerSecond: line.linkSpeed ?? null,
    sessions: load?.sessions ?? 0,
    settingUp: load?.settingUp ?? 0,
    waiting: (load?.waitingPadis ?? 0) + (load?.waitingPadrs ?? 0),
    load: load?.load ?? 0,
    padiReceived: counters?.padiReceived ?? 0,
    padoSent: counters?.padoSent ?? 0,
    padsSent: counters?.padsSent ?? 0,
    padsRefused: refused.reduce((sum, each) => sum + each, 0),
  };
}

function interfacesOf(dataplane: Dataplane): string | null {
  const interfaces = dataplane.interfaces?.();
  if (interfaces === undefined) return null;
  return interfaces.map(({ name, mode, reason }) => `${name} (${mode ?? `loop: ${reason}`})`).join(", ");
}
