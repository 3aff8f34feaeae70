import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/** Octets of the largest file that we read: some 500,000 users. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** A file's text, or why it could not be read. */
export type FileText =
  | {
      readonly ok: true;
      readonly text: string;
      /** Why others than its owner have access to it; undefined when they have none. */
      readonly exposed: string | undefined;
    }
  | { readonly ok: false; readonly reason: string };

/** Reads a text file, and tells whether it is private enough for secrets to be in it. */
export function readTextFile(path: string): FileText {
  let fd: number;
  try {
    // not blocking: a FIFO would hold us until somebody writes to it
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { ok: false, reason: `cannot be opened: ${(error as Error).message}` };
  }
  try {
    const { mode, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG)
      return { ok: false, reason: "is not a regular file" };
    if (size > MAX_FILE_BYTES) return { ok: false, reason: `is larger than ${MAX_FILE_BYTES} octets` };
    const permissions = (mode & 0o777).toString(8).padStart(4, "0");
    const exposed =
      (mode & 0o077) === 0 ? undefined : `mode ${permissions} lets others than its owner at it (chmod 600)`;
    return { ok: true, text: readFileSync(fd, "utf8"), exposed };
  } finally {
    closeSync(fd);
  }
}
