import { createHash, timingSafeEqual } from "node:crypto";

/** Whether an Authorization header has the token; it takes equally long whatever is in it. */
export function tokenTest(token: string): (authorization: string | undefined) => boolean {
  const expected = digest(token);
  return (authorization) => {
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    const isEqual = timingSafeEqual(digest(given ?? ""), expected);
    return isEqual && given !== undefined;
  };
}

/** Of one length, whatever is in it. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
