import { execFileSync } from "node:child_process";

/** SCHED_FIFO: above every process that nobody has given such a priority. */
const PRIORITY = "5";

/** Before the words of a command: it gets a processor whenever it wants one, as if it had one to itself. */
export const AHEAD_OF_OTHERS: readonly string[] = ["chrt", "--fifo", PRIORITY];

/** The same for all threads of a process while `act` lasts. */
export async function aheadOfOthers<Outcome>(pid: number, act: () => Promise<Outcome>): Promise<Outcome> {
  schedule(pid, "--fifo", PRIORITY);
  try {
    return await act();
  } finally {
    schedule(pid, "--other", "0");
  }
}

function schedule(pid: number, policy: string, priority: string): void {
  execFileSync("chrt", [policy, "--all-tasks", "--pid", priority, `${pid}`], { stdio: "ignore" });
}
