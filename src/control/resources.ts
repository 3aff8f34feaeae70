import type {
  ChannelView,
  ControlSource,
  CountersView,
  LnsView,
  SessionView,
  StatusView,
  TunnelView,
} from "../gateway/views.ts";

/** What the control socket answers to GET /v1/NAME, as JSON. */
export interface Resources {
  readonly status: StatusView & { readonly version: string };
  readonly sessions: readonly SessionView[];
  readonly tunnels: readonly TunnelView[];
  readonly lns: readonly LnsView[];
  readonly channels: readonly ChannelView[];
  readonly counters: CountersView;
}

export type ResourceName = keyof Resources;

/** How each resource is read. `version` is the program's. */
export function readers(
  source: ControlSource,
  version: string,
): { readonly [Name in ResourceName]: () => Resources[Name] } {
  return {
    status: () => ({ version, ...source.status() }),
    sessions: () => source.sessions(),
    tunnels: () => source.tunnels(),
    lns: () => source.lns(),
    channels: () => source.channels(),
    counters: () => source.counters(),
  };
}
