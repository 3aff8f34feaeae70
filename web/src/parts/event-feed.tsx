import { latestEvents } from "../client/events.ts";
import { useStore } from "../client/use-store.ts";
import { eventWords } from "../text/event-words.ts";
import { clockTime } from "../text/format.ts";

const SHOWN = 9;
const MARKS = { good: "+", plain: "–", bad: "!" } as const;

/** What has happened since the page was opened. No live region: a reader would never come to anything else. */
export function EventFeed() {
  const events = useStore(latestEvents);
  if (events.length === 0) return <p class="empty">Nothing since you opened this page.</p>;
  return (
    <ol class="events">
      {events.slice(0, SHOWN).map((event) => {
        const { tone, who, what, href } = eventWords(event);
        return (
          <li key={event.key} class={tone}>
            <time dateTime={event.at}>{clockTime(Date.parse(event.at))}</time>
            <b aria-hidden="true">{MARKS[tone]}</b>
            <span>
              <a href={href}>{who}</a> {what}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
