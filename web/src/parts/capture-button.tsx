import { useId, useRef } from "preact/hooks";
import type { SessionDetailView } from "../../../src/gateway/operations-views.ts";
import { capture, runningCaptures } from "../client/capture.ts";
import { useStore } from "../client/use-store.ts";
import { size } from "../text/format.ts";
import { failureText } from "./order-button.tsx";
import { say } from "./toast.tsx";

type Choice = readonly [value: string, text: string];

const TIMES: readonly Choice[] = [
  ["60", "one minute"],
  ["600", "ten minutes"],
  ["3600", "an hour"],
];
const PARTS: readonly Choice[] = [
  ["65535", "whole frames"],
  ["128", "128 octets of each frame"],
];

/** Captures a session's frames into a file, for Wireshark. */
export function CaptureButton({ session }: { readonly session: SessionDetailView }) {
  const { id } = session;
  const running = useStore(runningCaptures)[id];
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();

  const start = async (form: HTMLFormElement): Promise<void> => {
    const chosen = (name: string): string => String(new FormData(form).get(name));
    dialog.current?.close();
    const wish = { session: id, leg: chosen("leg"), seconds: chosen("seconds"), snap: chosen("snap") };
    const end = await capture(wish);
    if (!end.ok) say(failureText(end.failure), true);
    else if (end.isCut) say(`The capture of ${id} broke off: ${end.name} has ${size(end.octets)}.`, true);
    else say(`The capture of ${id} is saved: ${end.name}, ${size(end.octets)}.`);
  };

  if (running !== undefined)
    return (
      <button type="button" class="small" onClick={running.stop}>
        Stop capture ({size(running.octets)})
      </button>
    );
  return (
    <>
      <button type="button" class="small" onClick={() => dialog.current?.showModal()}>
        Capture
      </button>
      <dialog ref={dialog} aria-labelledby={title}>
        <h2 id={title}>Capture session {id}?</h2>
        <p>
          Its frames are saved as a pcapng file when the capture ends, at the latest after 34 MB. There may be
          passwords in it, and it stands in the gateway's log.
        </p>
        <form
          class="filters"
          onSubmit={(event) => {
            event.preventDefault();
            void start(event.currentTarget);
          }}
        >
          <Select name="leg" label="Leg" choices={legsOf(session)} />
          <Select name="seconds" label="For" choices={TIMES} />
          <Select name="snap" label="Keep" choices={PARTS} />
          <div class="choices">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" class="main">
              Start
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

/** One leg alone can be chosen where there is another kind beside it. */
function legsOf({ origin, onward }: SessionDetailView): readonly Choice[] {
  const all: Choice = ["", onward === null ? "the one that it has" : "both"];
  if (origin.kind !== "pppoe" || onward === null) return [all];
  return [all, ["access", "PPPoE"], ["tunnel", "L2TP"]];
}

interface SelectProps {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly Choice[];
}

function Select({ name, label, choices }: SelectProps) {
  return (
    <label>
      <span>{label}</span>
      <select name={name}>
        {choices.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
