import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ADDON_PATH } from "./support.ts";

/**
 * A thread that runs plain JavaScript with `addon`, `parentPort` and `workerData` in scope. (A worker is not
 * transformed by the test runner, so it loads the built addon itself.)
 */
export function startWorker(code: string, workerData?: unknown): Worker {
  const head = `
    const { parentPort, workerData } = require("node:worker_threads");
    const addon = require(${JSON.stringify(ADDON_PATH)});
  `;
  return new Worker(head + code, { eval: true, workerData });
}

/** The next message from it. */
export async function message<T>(worker: Worker): Promise<T> {
  const [value] = await once(worker, "message");
  return value as T;
}
