/** The entry of a forwarding thread. */

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { addon } from "../../io/native.ts";
import { ForwardingLoop } from "./forwarding-loop.ts";
import type { Reply, WorkerSetup } from "./messages.ts";

const { setup, commands } = workerData as { setup: WorkerSetup; commands: MessagePort };
const reply = (message: Reply) => parentPort?.postMessage(message);

new ForwardingLoop(addon, setup, commands, reply).run();
