/** What comes of a request. */

/** Why there is no answer. */
export type Failure =
  /** Nobody answers, or somebody between us and it does. */
  | { readonly kind: "away" }
  | { readonly kind: "unauthorized" }
  /** The gateway's own words. */
  | { readonly kind: "refused"; readonly status: number; readonly message: string; readonly hint?: string };

export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure };
