import type { AuthenticationMethod } from "../ppp/lcp.ts";

/** The configuration's words for what PPP calls by its RFCs' names. */
export function authenticationMethods(
  configured: readonly ("chap" | "pap")[],
): readonly AuthenticationMethod[] {
  return configured.map((method) => (method === "chap" ? "chap-md5" : "pap"));
}
