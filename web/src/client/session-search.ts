/** What somebody types to find a session, as the API is asked. */

type Wanted =
  | { readonly kind: "list"; readonly query: Readonly<Record<string, string>> }
  | { readonly kind: "one"; readonly id: string };

/** The API's longest pattern, without the stars that we add. */
const LONGEST = 254;

/** "s12" is a session, "02:…" a MAC address, "@isp" a realm, "*" and "?" a pattern, anything else a part of a user name. */
export function wantedBy(text: string): Wanted {
  const words = text.trim().slice(0, LONGEST);
  if (words === "") return { kind: "list", query: {} };
  if (/^s\d{1,15}$/i.test(words)) return { kind: "one", id: words.toLowerCase() };
  const mac = macOf(words);
  if (mac !== undefined) return { kind: "list", query: { mac } };
  if (/^@[^*?]+$/.test(words)) return { kind: "list", query: { realm: words.slice(1) } };
  if (/[*?]/.test(words)) return { kind: "list", query: { user: words } };
  return { kind: "list", query: { user: `*${words}*` } };
}

/** A whole MAC address in any of the usual spellings, as the API has it. */
function macOf(text: string): string | undefined {
  const digits = text.replaceAll(/[:.-]/g, "").toLowerCase();
  return /^[0-9a-f]{12}$/.test(digits) && /[:.-]/.test(text)
    ? (digits.match(/../g) ?? []).join(":")
    : undefined;
}

/** Of whom the story is asked: "s12", "tunnel 7", a call as "tunnel 7/12", a MAC address, or else a user name. */
export function subjectOf(text: string): Readonly<Record<string, string>> | undefined {
  const words = text.trim();
  if (words === "") return undefined;
  if (/^s\d{1,15}$/i.test(words)) return { session: words.toLowerCase() };
  const [, tunnel, call] = /^(?:tunnel|t)?[ ]*(\d{1,5})(?:\/(\d{1,5}))?$/i.exec(words) ?? [];
  if (tunnel !== undefined && call !== undefined) return { tunnel, call };
  // a number alone may as well be a user
  if (tunnel !== undefined && /^t/i.test(words)) return { tunnel };
  const mac = macOf(words);
  return mac === undefined ? { user: words } : { mac };
}
