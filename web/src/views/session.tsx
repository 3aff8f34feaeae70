import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { EndedView, SessionDetailView } from "../../../src/gateway/operations-views.ts";
import { type Counted, columnsOf, type History, rateBetween, withSample } from "../client/history.ts";
import { usePoll } from "../client/poll.ts";
import { fragmentOf } from "../client/route.ts";
import { CaptureButton } from "../parts/capture-button.tsx";
import { Chart, type Series } from "../parts/chart.tsx";
import { OrderButton } from "../parts/order-button.tsx";
import { Badge, Panel, Waiting } from "../parts/pieces.tsx";
import { StoryOf } from "../parts/story.tsx";
import { bitRate, count, dayTime, duration, size } from "../text/format.ts";
import { originWords, ROLE_WORDS, STATE_TONES } from "../text/session-words.ts";

const SESSION_MS = 1000;

const TRAFFIC: readonly Series[] = [
  { label: "to the subscriber", colour: "--down", isFilled: true },
  { label: "from the subscriber", colour: "--up" },
];

/** One subscriber, while he is there, and his story, also afterwards. */
export function SessionPage({ id }: { readonly id: string }) {
  const session = usePoll<SessionDetailView>(`v1/sessions/${id}`, SESSION_MS);
  const isGone = session.failure?.kind === "refused" && session.failure.status === 404;
  return (
    <div class="session">
      <p>
        <a href="#/sessions">← All sessions</a>
      </p>
      {session.value !== undefined && !isGone && <Live session={session.value} at={session.at} />}
      {isGone && (
        <p class="gone" role="status">
          {session.value === undefined
            ? `There is no session ${id}. It may have ended.`
            : `Session ${id} of ${session.value.user ?? "somebody without a name"} has ended.`}
        </p>
      )}
      {session.value === undefined && !isGone && <Waiting failure={session.failure} />}
      <Panel title="Its story">
        <StoryOf subject={{ session: id }} />
      </Panel>
    </div>
  );
}

function Live({ session, at }: { readonly session: SessionDetailView; readonly at: number }) {
  const { id, user, state, role, startedAt, openForSeconds } = session;
  const { history, down, up } = useRate(session, at);
  const columns = useMemo(() => columnsOf(history, [0, 1]), [history]);
  const now = Date.now();
  return (
    <>
      <div class="headline">
        <div>
          <strong class="name">{user ?? "no name yet"}</strong>{" "}
          <Badge tone={STATE_TONES[state]}>{state}</Badge>
          <div class="muted">{role === null ? "not decided yet" : ROLE_WORDS[role]}</div>
        </div>
        <div class="deeds">
          <CaptureButton session={session} />
          <OrderButton<EndedView>
            label="End session"
            question={`End session ${id}?`}
            consequence={`${user ?? "The subscriber"} is hung up on politely, and may call again at once.`}
            path="v1/end"
            body={{ session: id, reason: "ended by the operator, on the page" }}
            isGrave
            told={({ sessions }) => (sessions === 0 ? `${id} had ended already.` : `${id} is being ended.`)}
          />
        </div>
      </div>
      <div class="two">
        <Panel title="What it is">
          <dl class="facts">
            <Fact name="From">
              {originWords(session.origin)}
              {session.origin.kind === "pppoe" && (
                <>
                  , <code>{session.origin.mac}</code>, PPPoE session {session.origin.pppoeSessionId}
                  {session.origin.serviceName !== "" && `, service ${session.origin.serviceName}`}
                </>
              )}
            </Fact>
            <Fact name="To">
              <Target session={session} />
            </Fact>
            <Fact name="Began">
              {dayTime(Date.parse(startedAt), now)}
              {openForSeconds !== null && `, online for ${duration(openForSeconds)}`}
            </Fact>
            <Fact name="To subscriber">
              {size(session.octetsOut)} in {count(session.framesOut)} frames
            </Fact>
            <Fact name="From subscriber">
              {size(session.octetsIn)} in {count(session.framesIn)} frames
            </Fact>
            {session.channels.map(({ channel, kind, state: of, bridgedTo, device }) => (
              <Fact key={channel} name={`Channel ${channel}`}>
                {kind}, {of}
                {bridgedTo !== null && ` to ${bridgedTo}`}
                {device !== null && ` to ${device}`}
              </Fact>
            ))}
          </dl>
        </Panel>
        <Panel
          title="Live rate"
          note={
            <>
              <i class="mark down" aria-hidden="true" />↓{" "}
              <span data-rate="down">{down === undefined ? "–" : bitRate(down)}</span>{" "}
              <i class="mark up" aria-hidden="true" />↑{" "}
              <span data-rate="up">{up === undefined ? "–" : bitRate(up)}</span>
            </>
          }
        >
          <Chart
            label={`Throughput of session ${id}; the figures of the moment are beside it`}
            series={TRAFFIC}
            columns={columns}
            height={190}
            format={bitRate}
          />
        </Panel>
      </div>
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Target({ session: { onward, address, device, unit } }: { readonly session: SessionDetailView }) {
  if (onward !== null)
    return (
      <>
        <a href={fragmentOf("sessions", { lns: onward.peer })}>{onward.peer}</a>, tunnel{" "}
        {onward.localTunnelId}/{onward.remoteTunnelId}, call {onward.localSessionId}/{onward.remoteSessionId}
      </>
    );
  const here = [address, device, unit === null ? null : `units ${unit}`].filter((part) => part !== null);
  return <>{here.length === 0 ? "nowhere yet" : here.join(", ")}</>;
}

/** What flows, by the difference of two answers of the gateway. */
function useRate(session: SessionDetailView, at: number) {
  const before = useRef<Counted>(undefined);
  const [rate, setRate] = useState<{ history: History; down?: number; up?: number }>({ history: [] });
  // an answer is known by its time
  useEffect(() => {
    const { octetsIn, octetsOut } = session;
    const counted = { at, octetsIn, octetsOut };
    const between = before.current === undefined ? undefined : rateBetween(before.current, counted);
    before.current = counted;
    if (between === undefined) return;
    const [down, up] = between;
    setRate(({ history }) => ({
      history: withSample(history, { at: Date.now() / 1000, values: between }),
      down,
      up,
    }));
  }, [at]);
  return rate;
}
