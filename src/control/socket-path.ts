import { lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { ControlError } from "./control-error.ts";

/**
 * Makes a path free for a new local socket: its folder is made, and a socket that nobody listens on any more is removed.
 * Throws a ControlError when somebody listens, or when something else than a socket is there.
 */
export async function clearSocketPath(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw new ControlError("control-path", `${path} is there and is not a socket`);
  if (await somebodyListens(path))
    throw new ControlError("control-busy", `${path}: another process listens on it`);
  unlinkSync(path);
}

function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      // refused: it is bound to no process; anything else (EACCES, EAGAIN of a full backlog) does not say so
      if (error.code === "ECONNREFUSED") resolve(false);
      else if (error.code === "EAGAIN") resolve(true);
      else reject(new ControlError("control-path", `${path}: ${error.message}`, { cause: error }));
    });
  });
}
