import type { StoryEvidence, StoryLeg, StoryStage, StoryView } from "../../../src/journal/story-view.ts";
import { usePoll } from "../client/poll.ts";
import { clockTime, dayTime } from "../text/format.ts";
import { Waiting } from "./pieces.tsx";

const STORY_MS = 5000;

const STAGES: Readonly<Record<StoryStage, string>> = {
  unheard: "nothing is known",
  discovery: "got as far as PPPoE discovery",
  lcp: "got as far as LCP",
  authentication: "got as far as authentication",
  selection: "got as far as the choice of an LNS",
  tunnel: "got as far as the tunnel",
  call: "got as far as the call to the LNS",
  network: "got as far as IPCP and IPV6CP",
  open: "online",
  ended: "ended in good order",
};

const LEGS: Readonly<Record<StoryLeg, string>> = {
  access: "PPPoE",
  ppp: "PPP",
  tunnel: "L2TP",
  note: "",
};

/** What became of somebody, and the messages that show it. */
export function StoryOf({ subject }: { readonly subject: Readonly<Record<string, string>> }) {
  const story = usePoll<StoryView>(`v1/why?${new URLSearchParams(subject)}`, STORY_MS);
  if (story.value === undefined) return <Waiting failure={story.failure} />;
  const { found, headline, paragraphs, likely, evidence, stoppedAt } = story.value;
  return (
    <div class="story">
      <p class="story-head">{headline}</p>
      {found && (
        <p class="muted">
          It {stoppedAt === "open" ? "is " : ""}
          {STAGES[stoppedAt]}.
        </p>
      )}
      {paragraphs.map((paragraph) => (
        <p key={paragraph}>{paragraph}</p>
      ))}
      {likely.map(({ code, text, advice }, i) => (
        <div key={code} class="likely">
          <h3>
            {i === 0 ? "Most likely" : "Or"}: {text}
          </h3>
          <ul>
            {advice.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </div>
      ))}
      {evidence.length > 0 && <Evidence evidence={evidence} />}
    </div>
  );
}

function Evidence({ evidence }: { readonly evidence: readonly StoryEvidence[] }) {
  const now = Date.now();
  const first = Date.parse(evidence[0]?.at ?? "");
  return (
    <details open={evidence.length <= 60}>
      <summary>
        {evidence.length} messages and notes, from {dayTime(first, now)} on
      </summary>
      <ol class="evidence">
        {evidence.map(({ at, direction, leg, name, text, again }, i) => (
          <li key={`${at} ${i}`} class={`leg-${leg}${again ? " again" : ""}`}>
            <time dateTime={at} title={at}>
              {clockTime(Date.parse(at), true)}
            </time>
            <Arrow direction={direction} />
            <span class="leg">{LEGS[leg]}</span>
            <span class="what">
              <b>{name}</b> {text} {again && <em>(again)</em>}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function Arrow({ direction }: { readonly direction: "in" | "out" | null }) {
  if (direction === null) return <span aria-hidden="true">·</span>;
  return (
    <span>
      <span aria-hidden="true">{direction === "in" ? "→" : "←"}</span>
      <span class="unseen">{direction === "in" ? "received" : "sent"}</span>
    </span>
  );
}
