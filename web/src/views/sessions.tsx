import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { InterfaceView, SessionDetailView, SessionPage } from "../../../src/gateway/operations-views.ts";
import type { LnsView, SessionView } from "../../../src/gateway/views.ts";
import type { Answer } from "../client/answer.ts";
import { noticeAway, reach, read } from "../client/api.ts";
import { usePoll } from "../client/poll.ts";
import { fragmentOf, placeOf } from "../client/route.ts";
import { SessionList } from "../client/session-list.ts";
import { subjectOf, wantedBy } from "../client/session-search.ts";
import { useStore } from "../client/use-store.ts";
import { failureText } from "../parts/order-button.tsx";
import { SessionGrid } from "../parts/session-grid.tsx";
import { count, plural } from "../text/format.ts";

type Query = Readonly<Record<string, string>>;

const REFRESH_MS = 4000;
const SEARCH_MS = 200;
const NAMES_MS = 30_000;
/** What the API filters by and a person chooses here. */
const FILTERS = ["state", "role", "lns", "interface"] as const;

/** All sessions: searched, filtered and ordered by the gateway; only what is seen is drawn. */
export function Sessions({ query }: { readonly query: Query }) {
  const list = useMemo(() => new SessionList(readPage), []);
  const state = useStore(list.state);
  const reached = useStore(reach);
  const search = useMemo(() => searchOf(query), [query]);

  useEffect(() => {
    void list.show(search);
  }, [list, search]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void list.refresh();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [list]);

  // what is found is told once, not each time that somebody comes or goes
  const [announced, setAnnounced] = useState("");
  const announcedFor = useRef<string>(undefined);
  useEffect(() => {
    const { matched, isLoading } = list.state.value;
    if (announcedFor.current === search || isLoading || matched === undefined) return;
    announcedFor.current = search;
    setAnnounced(`${plural(matched, "session")} found`);
  });

  const change = (more: Readonly<Record<string, string>>): void =>
    // what is chosen now, not when this was drawn: two changes may come at once
    location.replace(fragmentOf("sessions", { ...placeOf(location.hash).query, ...more }));
  const { rows, matched, total, failure, isLoading } = state;
  return (
    <div class="sessions">
      <Filters query={query} change={change} />
      <p class="unseen" role="status">
        {announced}
      </p>
      <p class="tally">
        {matched === undefined || total === undefined
          ? "Asking the gateway…"
          : `${count(matched)} of ${plural(total, "session")}`}
        {failure?.kind === "refused" && <span class="bad"> {failureText(failure)}</span>}
        {!list.isFresh && <span class="muted"> · more than 1,000 rows are not read again by themselves</span>}
      </p>
      {matched === 0 && !isLoading && reached.state !== "away" ? (
        <Nobody query={query} />
      ) : (
        <SessionGrid
          rows={rows}
          matched={matched ?? 0}
          sort={query.sort ?? "id"}
          onSort={(sort) => change({ sort })}
          onEnd={() => void list.more()}
        />
      )}
    </div>
  );
}

interface FiltersProps {
  readonly query: Query;
  readonly change: (more: Query) => void;
}

function Filters({ query, change }: FiltersProps) {
  const lnses = usePoll<readonly LnsView[]>("v1/lns", NAMES_MS);
  const ports = usePoll<readonly InterfaceView[]>("v1/interfaces", NAMES_MS);
  return (
    <search>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <SearchField text={query.q ?? ""} onChange={(q) => change({ q })} />
        <Choice label="State" value={query.state} onChange={(state) => change({ state })}>
          {["open", "authenticating", "calling", "network", "closing"]}
        </Choice>
        <Choice label="Role" value={query.role} onChange={(role) => change({ role })}>
          {["lac", "lts", "lns", "pta"]}
        </Choice>
        <Choice label="LNS" value={query.lns} onChange={(lns) => change({ lns })}>
          {[...new Set(lnses.value?.map(({ peer }) => peer))]}
        </Choice>
        <Choice label="Port" value={query.interface} onChange={(port) => change({ interface: port })}>
          {ports.value?.map((port) => port.interface) ?? []}
        </Choice>
      </form>
    </search>
  );
}

interface SearchFieldProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
}

function SearchField({ text, onChange }: SearchFieldProps) {
  const [typed, setTyped] = useState(text);
  // the address changes by itself, too: by a link, or the browser's way back
  useEffect(() => setTyped(text), [text]);
  // only what is typed starts the clock
  useEffect(() => {
    if (typed === text) return;
    const timer = setTimeout(() => onChange(typed), SEARCH_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <label class="search">
      <span>Search</span>
      <input
        type="search"
        placeholder="user, @realm, MAC address or s12; * and ? stand for others"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
    </label>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string) => void;
  readonly children: readonly string[];
}

function Choice({ label, value = "", onChange, children }: ChoiceProps) {
  // a link may name what is not there any more
  const choices = value === "" || children.includes(value) ? children : [...children, value];
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        <option value="">all</option>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Who is not here may have been: the journal knows. */
function Nobody({ query }: { readonly query: Query }) {
  const subject = subjectOf(query.q ?? "");
  const isWhole = subject !== undefined && !/[*?]|^@/.test(query.q ?? "");
  return (
    <div class="empty">
      <p>No session is like that.</p>
      <p>
        {isWhole && <a href={fragmentOf("why", subject)}>Why? What the journal knows of {query.q}</a>}{" "}
        {Object.keys(query).length > 0 && <a href="#/sessions">Show all sessions</a>}
      </p>
    </div>
  );
}

/** The query of the API; "id=s12" for one session alone. */
function searchOf(query: Query): string {
  const wanted = wantedBy(query.q ?? "");
  if (wanted.kind === "one") return `id=${wanted.id}`;
  const search = new URLSearchParams(wanted.query);
  for (const name of [...FILTERS, "sort"]) {
    const value = query[name];
    if (value) search.set(name, value);
  }
  return search.toString();
}

async function readPage(path: string): Promise<Answer<SessionPage>> {
  const id = new URLSearchParams(path.split("?")[1]).get("id");
  const answer = id === null ? await read<SessionPage>(path) : await readOne(id);
  if (!answer.ok && answer.failure.kind === "away") noticeAway();
  return answer;
}

/** One session as a list, or none. */
async function readOne(id: string): Promise<Answer<SessionPage>> {
  const answer = await read<SessionDetailView>(`v1/sessions/${id}`);
  if (!answer.ok && !(answer.failure.kind === "refused" && answer.failure.status === 404)) return answer;
  const sessions: readonly SessionView[] = answer.ok ? [answer.value] : [];
  return { ok: true, value: { total: sessions.length, matched: sessions.length, next: null, sessions } };
}
