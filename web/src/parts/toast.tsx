import { Store } from "../client/store.ts";
import { useStore } from "../client/use-store.ts";

interface Toast {
  readonly text: string;
  readonly isBad: boolean;
}

const SHOWN_MS = 8000;

const toast = new Store<Toast | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says what became of something, for a while. */
export function say(text: string, isBad = false): void {
  clearTimeout(timer);
  toast.set({ text, isBad });
  timer = setTimeout(() => toast.set(undefined), SHOWN_MS);
}

export function Toasts() {
  const shown = useStore(toast);
  return (
    <div class="toasts" role="status">
      {shown !== undefined && <p class={shown.isBad ? "toast bad" : "toast"}>{shown.text}</p>}
    </div>
  );
}
