import { createHash, timingSafeEqual } from "node:crypto";
import { Secret } from "../base/secret.ts";
import type { Credentials } from "../ppp/authenticator.ts";
import { verifyChapMd5 } from "../ppp/chap.ts";
import { verifyMsChapV2 } from "../ppp/ms-chap-v2.ts";

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

/**
 * The reason is for our log. A subscriber is told only that it failed, not which names exist.
 * `authenticatorResponse`: with MS-CHAPv2, what PppServer's accept() tells the subscriber.
 */
export type LoginVerdict =
  | { readonly ok: true; readonly user: LocalUser; readonly authenticatorResponse?: string }
  | { readonly ok: false; readonly reason: "unknown user" | "wrong password" | "no authentication" };

/** Stands in for unknown users, so that they take as long as known ones. */
const NOBODY = new Secret("nobody");

/** The users that are known here. */
export class LocalUsers {
  readonly #byName: ReadonlyMap<string, LocalUser>;

  constructor(users: readonly LocalUser[]) {
    this.#byName = new Map(users.map((user) => [user.name, user]));
  }

  /** Whether a subscriber is who he says he is, by what PPP's server gives. */
  verify(credentials: Credentials): LoginVerdict {
    if (credentials.method === "none") return { ok: false, reason: "no authentication" };
    const user = this.#find(credentials);
    const proof = prove(credentials, (user?.password ?? NOBODY).octets());
    if (user === undefined) return { ok: false, reason: "unknown user" };
    return proof.ok ? { ...proof, ok: true, user } : { ok: false, reason: "wrong password" };
  }

  /** With MS-CHAPv2 a Windows domain may stand before the name, and is not ours to know (RFC 2759 §4). */
  #find({ method, name }: Proving): LocalUser | undefined {
    const user = this.#byName.get(name);
    if (user !== undefined || method !== "ms-chap-v2") return user;
    return this.#byName.get(name.slice(name.lastIndexOf("\\") + 1));
  }
}

type Proving = Exclude<Credentials, { readonly method: "none" }>;
type Proof = { readonly ok: boolean; readonly authenticatorResponse?: string };

function prove(credentials: Proving, secret: Uint8Array): Proof {
  switch (credentials.method) {
    case "pap":
      return { ok: timingSafeEqual(digest(credentials.password), digest(secret)) };
    case "chap-md5": {
      const { identifier, challenge, response } = credentials;
      return { ok: verifyChapMd5(identifier, secret, challenge, response) };
    }
    case "ms-chap-v2": {
      const authenticatorResponse = verifyMsChapV2(credentials, secret);
      return authenticatorResponse === undefined ? { ok: false } : { ok: true, authenticatorResponse };
    }
  }
}

/** Of one length for every password, because timingSafeEqual needs that. */
function digest(password: Uint8Array): Uint8Array {
  return createHash("sha256").update(password).digest();
}
