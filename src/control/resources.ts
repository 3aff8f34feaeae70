import type {
  ChannelView,
  CountersView,
  LnsView,
  SessionView,
  StatusView,
  TunnelView,
} from "../gateway/views.ts";

/** What can be read whole of a running gateway, by its name under /v1/. */
export interface Resources {
  readonly status: StatusView & { readonly version: string };
  readonly sessions: readonly SessionView[];
  readonly tunnels: readonly TunnelView[];
  readonly lns: readonly LnsView[];
  readonly channels: readonly ChannelView[];
  readonly counters: CountersView;
}

export type ResourceName = keyof Resources;
