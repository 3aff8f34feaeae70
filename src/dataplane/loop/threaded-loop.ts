import type { ChannelId, Dataplane } from "../../channel/dataplane.ts";

/** What an engine above the loop asks of it. */
export interface LoopEngine extends Dataplane {
  /** Whether the data messages that we send on an L2TP channel have sequence numbers at the moment. */
  numbersSent(channel: ChannelId): boolean;
}

/** A loop whose forwarding threads can become more or fewer. */
export interface ThreadedLoop extends LoopEngine {
  /** How many forwarding threads there are. */
  readonly workers: number;
  /** And how many there can be: the lanes of a port. */
  readonly mostWorkers: number;
  /**
   * Changes it while traffic flows: nothing is lost, and the frames of a session stay in order. Rejects with a
   * DataplaneError `bad-spec`, or when a thread cannot start; it is as before then.
   */
  setWorkers(workers: number | "auto"): Promise<void>;
}
