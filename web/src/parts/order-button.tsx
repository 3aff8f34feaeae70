import { useId, useRef, useState } from "preact/hooks";
import type { Failure } from "../client/answer.ts";
import { order } from "../client/api.ts";
import { say } from "./toast.tsx";

interface OrderButtonProps<Result> {
  /** On the button: "Drain". */
  readonly label: string;
  /** More for who does not see what it stands beside: "Drain acc0". */
  readonly fullLabel?: string;
  readonly question: string;
  /** What comes of it. */
  readonly consequence: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly isGrave?: boolean;
  readonly told: (result: Result) => string;
}

/** Orders something of the gateway, after it has been asked whether that is meant. */
export function OrderButton<Result>(props: OrderButtonProps<Result>) {
  const { label, fullLabel, question, consequence, path, body, isGrave = false, told } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const [isBusy, setBusy] = useState(false);

  const go = async (): Promise<void> => {
    setBusy(true);
    const answer = await order<Result>(path, body);
    setBusy(false);
    dialog.current?.close();
    if (answer.ok) say(told(answer.value));
    else say(failureText(answer.failure), true);
  };

  return (
    <>
      <button
        type="button"
        class={isGrave ? "small grave" : "small"}
        aria-label={fullLabel}
        onClick={() => dialog.current?.showModal()}
      >
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={title}>
        <h2 id={title}>{question}</h2>
        <p>{consequence}</p>
        <div class="choices">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="button"
            class={isGrave ? "grave" : "main"}
            disabled={isBusy}
            onClick={() => void go()}
          >
            {isBusy ? "…" : label}
          </button>
        </div>
      </dialog>
    </>
  );
}

export function failureText(failure: Failure): string {
  switch (failure.kind) {
    case "away":
      return "The gateway does not answer.";
    case "unauthorized":
      return "The gateway asks for its token.";
    case "refused":
      return `The gateway says: ${failure.message}${failure.hint === undefined ? "" : ` (${failure.hint})`}.`;
  }
}
