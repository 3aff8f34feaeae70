import { createHash, timingSafeEqual } from "node:crypto";
import { Secret } from "../base/secret.ts";
import { verifyChapMd5 } from "../ppp/chap.ts";

/** A user of the users file. */
export interface LocalUser {
  /** As the subscriber sends it, with its realm if it has one. */
  readonly name: string;
  readonly password: Secret;
  /** A fixed address; absent: one of the pool. */
  readonly address?: string;
  /** Absent: those of the unit group. */
  readonly dns?: readonly string[];
  /** The unit group, whatever the realm says. */
  readonly unit?: string;
}

/** What a subscriber said to prove who it is; what PPP's server gives fits. */
export type LoginAttempt =
  | { readonly method: "pap"; readonly name: string; readonly password: Uint8Array }
  | {
      readonly method: "chap-md5";
      readonly name: string;
      readonly identifier: number;
      readonly challenge: Uint8Array;
      readonly response: Uint8Array;
    }
  /** Nothing: whoever asks for no authentication gets this. */
  | { readonly method: "none" };

/** The reason is for our log. A subscriber is told only that it failed, not which names exist. */
export type LoginVerdict =
  | { readonly ok: true; readonly user: LocalUser }
  | { readonly ok: false; readonly reason: "unknown user" | "wrong password" | "no authentication" };

/** Stands in for unknown users, so that they take as long as known ones. */
const NOBODY = new Secret("nobody");

/** The users that are known here. */
export class LocalUsers {
  readonly #byName: ReadonlyMap<string, LocalUser>;

  constructor(users: readonly LocalUser[]) {
    this.#byName = new Map(users.map((user) => [user.name, user]));
  }

  authenticate(attempt: LoginAttempt): LoginVerdict {
    if (attempt.method === "none") return { ok: false, reason: "no authentication" };
    const user = this.#byName.get(attempt.name);
    const proven = proves(attempt, (user?.password ?? NOBODY).octets());
    if (user === undefined) return { ok: false, reason: "unknown user" };
    return proven ? { ok: true, user } : { ok: false, reason: "wrong password" };
  }
}

function proves(attempt: Exclude<LoginAttempt, { method: "none" }>, secret: Uint8Array): boolean {
  if (attempt.method === "pap") return timingSafeEqual(digest(attempt.password), digest(secret));
  return verifyChapMd5(attempt.identifier, secret, attempt.challenge, attempt.response);
}

/** Of one length for every password, because timingSafeEqual needs that. */
function digest(password: Uint8Array): Uint8Array {
  return createHash("sha256").update(password).digest();
}
