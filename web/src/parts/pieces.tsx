import type { ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import type { Failure } from "../client/answer.ts";
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

/** performance.now(), each second anew. */
export function useNow(): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
