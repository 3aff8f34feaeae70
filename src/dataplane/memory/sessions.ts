import type { ChannelId, ChannelSpec, PortId } from "../../channel/dataplane.ts";

/** Channels by what identifies them on the wire. */
export class Sessions {
  /** By port and session id: one channel for each VLAN that the id is used in. */
  readonly #pppoe = new Map<string, readonly ChannelId[]>();
  /** Sessions by our tunnel id. */
  readonly #tunnels = new Map<number, Map<number, ChannelId>>();

  /** `port`: its peer's. */
  add(channel: ChannelId, spec: ChannelSpec, port: PortId): void {
    if (spec.kind === "pppoe") {
      const key = `${port}/${spec.sessionId}`;
      this.#pppoe.set(key, [channel, ...(this.#pppoe.get(key) ?? [])]);
      return;
    }
    const sessions = this.#tunnels.get(spec.localTunnelId) ?? new Map<number, ChannelId>();
    sessions.set(spec.localSessionId, channel);
    this.#tunnels.set(spec.localTunnelId, sessions);
  }

  remove(channel: ChannelId, spec: ChannelSpec, port: PortId): void {
    if (spec.kind === "pppoe") {
      const key = `${port}/${spec.sessionId}`;
      const others = this.#pppoe.get(key)!.filter((other) => other !== channel);
      if (others.length === 0) this.#pppoe.delete(key);
      else this.#pppoe.set(key, others);
      return;
    }
    const sessions = this.#tunnels.get(spec.localTunnelId)!;
    sessions.delete(spec.localSessionId);
    if (sessions.size === 0) this.#tunnels.delete(spec.localTunnelId);
  }

  /** Undefined when no channel has the id in any VLAN. */
  pppoe(port: PortId, sessionId: number): readonly ChannelId[] | undefined {
    return this.#pppoe.get(`${port}/${sessionId}`);
  }

  /** The sessions of a tunnel; undefined when it has none. */
  tunnel(localTunnelId: number): ReadonlyMap<number, ChannelId> | undefined {
    return this.#tunnels.get(localTunnelId);
  }
}
