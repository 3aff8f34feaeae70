/** Where the command writes a capture. */

import { closeSync, constants, createWriteStream, fchmodSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import { type CommandContext, UsageError } from "./process.ts";

/** Its owner's eyes only. */
const MODE = 0o600;

export interface CaptureOutput {
  readonly stream: Writable;
  /** It is ended with the capture. */
  readonly isOwn: boolean;
  /** Somebody reads it now, and may go away while there is nothing to write. */
  readonly isPipe: boolean;
  /** For people. */
  readonly name: string;
}

/**
 * "-": standard output, which must not be a terminal. A file is made anew: what is there already, a link included, is left
 * alone. Throws a UsageError.
 */
export function openCaptureOutput(path: string, { stdout, octets }: CommandContext): CaptureOutput {
  if (path === "-") {
    if (stdout.isTTY === true)
      throw new UsageError("a capture is not for a terminal: -w FILE, or | wireshark -k -i -");
    return { stream: octets, isOwn: false, isPipe: octets instanceof Socket, name: "standard output" };
  }
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  let fd: number;
  try {
    fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, MODE);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") throw new UsageError(`${path} cannot be written: ${message}`);
    throw new UsageError(`${path} is there already: a capture is written over nothing`);
  }
  try {
    // whatever the umask, and whatever rules the folder has
    fchmodSync(fd, MODE);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { stream: createWriteStream(path, { fd }), isOwn: true, isPipe: false, name: path };
}
