import { useEffect, useState } from "preact/hooks";
import { fragmentOf } from "../client/route.ts";
import { subjectOf } from "../client/session-search.ts";
import { Panel } from "../parts/pieces.tsx";
import { StoryOf } from "../parts/story.tsx";

type Query = Readonly<Record<string, string>>;
const SUBJECTS = ["session", "user", "mac", "tunnel"] as const;

/** Asks the journal about anybody: also about who has gone, or never got in. */
export function Why({ query }: { readonly query: Query }) {
  const kind = SUBJECTS.find((name) => query[name] !== undefined);
  const call = kind === "tunnel" ? query.call : undefined;
  const named = kind === undefined ? "" : (query[kind] ?? "");
  const whom = call === undefined ? named : `${named}/${call}`;
  const asWritten = kind === "tunnel" ? `tunnel ${whom}` : whom;
  const [text, setText] = useState(asWritten);
  useEffect(() => setText(asWritten), [asWritten]);
  const ask = (event: Event): void => {
    event.preventDefault();
    const subject = subjectOf(text);
    if (subject !== undefined) location.hash = fragmentOf("why", subject);
  };
  return (
    <div class="why">
      <search>
        <form class="filters" onSubmit={ask}>
          <label class="search">
            <span>Whose story?</span>
            <input
              type="search"
              placeholder="a whole user name, MAC address, s12, tunnel 7 or 7/12"
              autocomplete="off"
              spellcheck={false}
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
          <button type="submit" class="main">
            Tell
          </button>
        </form>
      </search>
      {kind === undefined ? (
        <p class="empty">
          The gateway keeps what it has sent and received. Ask it about a subscriber who has gone, or never
          got in.
        </p>
      ) : (
        <Panel key={`${kind} ${whom}`} title={`The story of ${kind === "user" ? whom : `${kind} ${whom}`}`}>
          <StoryOf subject={{ [kind]: named, ...(call !== undefined && { call }) }} />
        </Panel>
      )}
    </div>
  );
}
