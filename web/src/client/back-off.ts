const FIRST_MS = 1000;
const LONGEST_MS = 15_000;

/** How long to wait after `failures` in a row before asking a gateway again that did not answer. */
export function backOffMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
}
