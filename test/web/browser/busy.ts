/** How long a page's main thread is held up by one thing at a time. */

import type { Browser, Page } from "playwright-core";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of the thread's own time: what others did on the machine meanwhile is not in it. */
  readonly tdur?: number;
}

const CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline"];
/** One task of the browser's event loop, everything that it calls and draws included. */
const TASK = "RunTask";
/** What console.timeStamp() leaves: by it we know our thread from those of the browser's own pages. */
const STAMP = "TimeStamp";

/** The tasks of a page's main thread while `act` runs, in milliseconds, longest first. */
export async function longestTasks(
  browser: Browser,
  page: Page,
  act: () => Promise<void>,
): Promise<readonly number[]> {
  const session = await browser.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const complete = new Promise((resolve) => session.on("Tracing.tracingComplete", resolve));
  const traceConfig = { includedCategories: CATEGORIES };
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });
  await page.evaluate("console.timeStamp('here')");
  await act();
  await session.send("Tracing.end");
  await complete;
  await session.detach();
  const stamp = events.find(({ name }) => name === STAMP);
  return events
    .filter(({ name, pid, tid }) => name === TASK && pid === stamp?.pid && tid === stamp.tid)
    .map(({ tdur = 0 }) => tdur / 1000)
    .sort((a, b) => b - a);
}
