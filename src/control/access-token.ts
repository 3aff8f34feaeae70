import { createHash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../base/secret.ts";

/** Whether an Authorization header has the token; it takes equally long whatever is in it. */
export function tokenTest(token: Secret): (authorization: string | undefined) => boolean {
  const expected = digest(token.octets());
  return (authorization) => {
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    const isEqual = timingSafeEqual(digest(given ?? ""), expected);
    return isEqual && given !== undefined;
  };
}

/** Of one length, whatever is in it. */
function digest(text: string | Uint8Array): Buffer {
  return createHash("sha256").update(text).digest();
}
