/** Where in the page somebody is: the fragment of the address, so that every view is a link. */

type View = "overview" | "sessions" | "session" | "tunnels" | "why" | "nowhere";

export interface Place {
  readonly view: View;
  /** The session of `session`. */
  readonly id: string | undefined;
  readonly query: Readonly<Record<string, string>>;
}

export function placeOf(fragment: string): Place {
  const [path = "", search = ""] = fragment.replace(/^#?\/?/, "").split("?", 2);
  const query = Object.fromEntries(new URLSearchParams(search));
  const [first = "", second] = path.split("/");
  if (first === "sessions" && second !== undefined && /^s\d{1,15}$/.test(second))
    return { view: "session", id: second, query };
  const isView = second === undefined;
  if (isView && first === "") return { view: "overview", id: undefined, query };
  if (isView && (first === "sessions" || first === "tunnels" || first === "why"))
    return { view: first, id: undefined, query };
  return { view: "nowhere", id: undefined, query };
}

/** Empty values are left out. */
export function fragmentOf(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = new URLSearchParams(given).toString();
  return `#/${path}${search === "" ? "" : `?${search}`}`;
}
