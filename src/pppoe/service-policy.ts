/** Which Service-Names an access concentrator serves (RFC 2516 §5.2, §5.4, §9). */
export interface ServicePolicy {
  /** Names that every PADO offers; empty tells nothing to strangers. */
  readonly offered: readonly string[];
  /** Serve names that are not offered too, giving back what was sent: what RFC 2516 §9 recommends. */
  readonly acceptUnlisted: boolean;
  /** Serve the empty name, "any service". */
  readonly acceptEmpty: boolean;
}

export function servesName(policy: ServicePolicy, name: string): boolean {
  if (name === "") return policy.acceptEmpty;
  return policy.acceptUnlisted || policy.offered.includes(name);
}
