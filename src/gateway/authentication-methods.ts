import type { AuthenticationMethod } from "../ppp/lcp.ts";

const METHODS = { chap: "chap-md5", "ms-chap-v2": "ms-chap-v2", pap: "pap" } as const;

/** The configuration's words for what PPP calls by its RFCs' names. */
export function authenticationMethods(
  configured: readonly (keyof typeof METHODS)[],
): readonly AuthenticationMethod[] {
  return configured.map((method) => METHODS[method]);
}
