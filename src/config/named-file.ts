import { join, resolve } from "node:path";
import { type FileText, readTextFile } from "./private-file.ts";

/** What a path begins with that names a systemd credential (systemd.exec(5), LoadCredential=). */
const CREDENTIAL = "credential:";

/**
 * The path of a file that the configuration names: relative to its folder, or "credential:NAME" in
 * $CREDENTIALS_DIRECTORY. Undefined when there are no credentials, or NAME is none.
 */
export function pathOfNamedFile(folder: string, written: string): string | undefined {
  if (!written.startsWith(CREDENTIAL)) return resolve(folder, written);
  const directory = process.env.CREDENTIALS_DIRECTORY;
  const name = written.slice(CREDENTIAL.length);
  const isName = /^[^/\0]{1,255}$/.test(name) && name !== "." && name !== "..";
  return directory === undefined || directory === "" || !isName ? undefined : join(directory, name);
}

/**
 * Reads a file that the configuration names. A credential is private, whatever its mode: systemd gives it to this
 * service's processes alone, and to a user that does not own it by an ACL, which looks like a group's access.
 */
export function readNamedFile(folder: string, written: string): FileText {
  const path = pathOfNamedFile(folder, written);
  if (path === undefined)
    return {
      ok: false,
      reason:
        "is no credential that systemd has given us: $CREDENTIALS_DIRECTORY is not set (the running service's is /run/credentials/lacewing.service), or that is no name",
    };
  const file = readTextFile(path);
  return file.ok && written.startsWith(CREDENTIAL) ? { ...file, exposed: undefined } : file;
}
