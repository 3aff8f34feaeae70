/** Times and counts of RFC 1661 §4.6 and of the echo keepalive. */
export interface PppTimers {
  /** Restart timer: between retransmissions of Configure- and Terminate-Requests, PAP requests, challenges. */
  readonly restartMs: number;
  /** Max-Configure: transmissions without an answer. Also of PAP requests, challenges and responses. */
  readonly maxConfigure: number;
  /** Max-Terminate. */
  readonly maxTerminate: number;
  /** Max-Failure: Naks before a peer's wishes are rejected. */
  readonly maxFailure: number;
  /** LCP Echo-Request after this much silence; 0 sends none. */
  readonly echoIntervalMs: number;
  /** Echo-Requests without a reply until the peer is taken for dead, one interval after the last of them. */
  readonly echoMisses: number;
}

export const DEFAULT_TIMERS: PppTimers = {
  restartMs: 3_000,
  maxConfigure: 10,
  maxTerminate: 2,
  maxFailure: 5,
  echoIntervalMs: 30_000,
  echoMisses: 3,
};
