import { useEffect, useRef, useState } from "preact/hooks";
import type { HealthView, RatesView } from "../../src/gateway/operations-views.ts";
import { reach } from "./client/api.ts";
import { listenToEvents } from "./client/events.ts";
import { type History, sampleOf, withSample } from "./client/history.ts";
import { type Polled, usePoll } from "./client/poll.ts";
import { type Place, placeOf } from "./client/route.ts";
import { useStore } from "./client/use-store.ts";
import { Toasts } from "./parts/toast.tsx";
import { bitRate, clockTime, count, duration } from "./text/format.ts";
import { Overview } from "./views/overview.tsx";
import { SessionPage } from "./views/session.tsx";
import { Sessions } from "./views/sessions.tsx";
import { TokenForm } from "./views/token-form.tsx";
import { Tunnels } from "./views/tunnels.tsx";
import { Why } from "./views/why.tsx";

const RATES_MS = 1000;
const HEALTH_MS = 2000;

const VIEWS = [
  { path: "", label: "Overview", views: ["overview"] },
  { path: "sessions", label: "Sessions", views: ["sessions", "session"] },
  { path: "tunnels", label: "Tunnels", views: ["tunnels"] },
  { path: "why", label: "Why?", views: ["why"] },
] as const;

const TITLES = {
  overview: "Overview",
  sessions: "Sessions",
  session: "Session",
  tunnels: "Tunnels and LNSes",
  why: "Why?",
  nowhere: "Not found",
} as const;

export function App() {
  const { state } = useStore(reach);
  // who comes from a form of ours sees the page anew
  return state === "unauthorized" ? <TokenForm /> : <Shell />;
}

function Shell() {
  const here = usePlace();
  const rates = usePoll<RatesView>("v1/rates", RATES_MS);
  const health = usePoll<HealthView>("v1/health", HEALTH_MS);
  const history = useHistory(rates.value);
  const main = useRef<HTMLElement>(null);
  const name = health.value?.status.name;

  useEffect(() => {
    const listening = new AbortController();
    void listenToEvents(listening.signal);
    return () => listening.abort();
  }, []);

  useEffect(() => {
    const title = here.view === "session" ? here.id : TITLES[here.view];
    document.title = `${title}${name === undefined ? "" : ` · ${name}`} · Lacewing`;
  }, [here, name]);

  const isFirst = useRef(true);
  // another view is another page: reading begins at its top
  useEffect(() => {
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
    scrollTo(0, 0);
  }, [here.view, here.id]);

  return (
    <>
      {/* no link: the fragment of the address says where we are */}
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <Top health={health} rates={rates} view={here.view} />
      <Away />
      <main id="content" ref={main} tabIndex={-1}>
        <h1 class={here.view === "overview" ? "unseen" : ""}>
          {here.view === "session" ? `Session ${here.id}` : TITLES[here.view]}
        </h1>
        <Content here={here} health={health} rates={rates} history={history} />
      </main>
      <Toasts />
    </>
  );
}

interface ContentProps {
  readonly here: Place;
  readonly health: Polled<HealthView>;
  readonly rates: Polled<RatesView>;
  readonly history: History;
}

function Content({ here, health, rates, history }: ContentProps) {
  switch (here.view) {
    case "overview":
      return <Overview health={health} rates={rates} history={history} />;
    case "sessions":
      return <Sessions query={here.query} />;
    case "session":
      return <SessionPage key={here.id} id={here.id ?? ""} />;
    case "tunnels":
      return <Tunnels rates={rates.value} />;
    case "why":
      return <Why query={here.query} />;
    case "nowhere":
      return (
        <p class="empty">
          There is no such page. <a href="#/">To the overview</a>
        </p>
      );
  }
}

interface TopProps {
  readonly health: Polled<HealthView>;
  readonly rates: Polled<RatesView>;
  readonly view: Place["view"];
}

function Top({ health, rates, view }: TopProps) {
  const status = health.value?.status;
  const total = rates.value?.total;
  return (
    <header class="top">
      <div class="who">
        <strong>{status?.name ?? "Lacewing"}</strong>
        {status !== undefined && (
          <span class="muted">
            {status.engine}, up {duration(status.uptimeSeconds)}
          </span>
        )}
      </div>
      <nav aria-label="Views">
        {VIEWS.map(({ path, label, views }) => (
          <a
            key={path}
            href={`#/${path}`}
            aria-current={(views as readonly string[]).includes(view) ? "page" : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      <div class="pulse">
        {status !== undefined && <span>{count(status.openSessions)} online</span>}
        {total !== undefined && (
          <span>
            ↓ {bitRate(total.octetsOutPerSecond)}{" "}
            <span class="wide">↑ {bitRate(total.octetsInPerSecond)}</span>
          </span>
        )}
      </div>
    </header>
  );
}

/** Says that what is shown is of the past. */
function Away() {
  const reached = useStore(reach);
  return (
    <div class="away-place" role="status">
      {reached.state === "away" && (
        <p class="away">
          The gateway has not answered since {clockTime(reached.since)}. What you see is from before; this
          page asks again by itself.
        </p>
      )}
    </div>
  );
}

/** Where the address says that we are. */
function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = (): void => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}

function useHistory(rates: RatesView | undefined): History {
  const [history, setHistory] = useState<History>([]);
  useEffect(() => {
    if (rates !== undefined) setHistory((before) => withSample(before, sampleOf(rates)));
  }, [rates]);
  return history;
}
