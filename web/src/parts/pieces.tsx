import type { ComponentChildren } from "preact";
import { useEffect, useId, useReducer } from "preact/hooks";
import type { Failure } from "../client/answer.ts";
import { countdown } from "../text/format.ts";
import { failureText } from "./order-button.tsx";

interface PanelProps {
  readonly title: string;
  /** Beside the title. */
  readonly note?: ComponentChildren;
  readonly className?: string;
  readonly children: ComponentChildren;
}

export function Panel({ title, note, className = "", children }: PanelProps) {
  const id = useId();
  return (
    <section class={`panel ${className}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
      </header>
      {children}
    </section>
  );
}

/** In place of what is not there yet, or cannot be had. */
export function Waiting({ failure }: { readonly failure: Failure | undefined }) {
  return failure === undefined || failure.kind === "away" ? (
    <p class="empty">Asking the gateway…</p>
  ) : (
    <p class="empty bad">{failureText(failure)}</p>
  );
}

type Tone = "good" | "plain" | "warn" | "bad";

/** A word on the state of something; what its colour says, the word says too. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** What is left until a time of performance.now(): "4:07", told anew as each second of it goes by. */
export function Countdown({ until }: { readonly until: number }) {
  const left = until - performance.now();
  const [, tick] = useReducer((ticks: number) => ticks + 1, 0);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(tick, left % 1000);
    return () => clearTimeout(timer);
  });
  return <>{countdown(left / 1000)}</>;
}
