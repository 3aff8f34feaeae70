import type { IncomingHttpHeaders } from "node:http";

/**
 * Whether a browser says that a page of another site has sent a request. A client certificate, or a user's place behind a
 * tunnel, goes along with such requests, whoever has written them; browsers cannot be made to leave these headers out.
 */
export function isForeign({
  "sec-fetch-site": site,
  origin,
  host = "",
}: IncomingHttpHeaders & { readonly "sec-fetch-site"?: string | undefined }): boolean {
  // behind a proxy the Host may be another one: what the browser itself has compared comes first
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  if (origin === undefined) return false;
  return origin.toLowerCase().replace(/^https?:\/\//, "") !== host.toLowerCase();
}
