/** The token of the address that the page came from, for as long as the tab is open. */

const KEY = "lacewing-token";

export function savedToken(): string | undefined {
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function saveToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}

/** "#token=…" is how a link brings one: a fragment is sent to no server and stands in no log. It leaves the address bar. */
export function takeTokenFromAddress(): void {
  const token = /^#token=([\x21-\x7e]+)$/.exec(location.hash)?.[1];
  if (token === undefined) return;
  saveToken(decodeURIComponent(token));
  history.replaceState(null, "", `${location.pathname}#/`);
}
