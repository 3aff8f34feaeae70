/** Getting at network namespaces that units are to be in: by our own CAP_SYS_ADMIN, or by the helper that has it. */

import { existsSync } from "node:fs";
import { LacewingError } from "../base/errors.ts";
import type { Addon, NamespaceFiles, NativeError } from "./addon.ts";

/** Where the helper of the Debian package listens. */
const HELPER_SOCKET = "/run/lacewing-units/socket";

/** Where the helper is asked: LACEWING_UNIT_HELPER in the environment says where else. */
function helperSocket(): string {
  return process.env.LACEWING_UNIT_HELPER || HELPER_SOCKET;
}

function pathOf(netns: string): string {
  return `/run/netns/${netns}`;
}

/** Whether there is a named network namespace on this host. */
export function hasNamespace(netns: string): boolean {
  return existsSync(pathOf(netns));
}

/** Whether the helper has a socket. */
export function hasUnitHelper(): boolean {
  return existsSync(helperSocket());
}

/**
 * Opens what a device with `tuns` queues needs in a named network namespace; with 0, what its routes are changed by. It is the
 * caller's to close, soon: descriptors keep a namespace alive that is to be deleted, and are wrong for its successor.
 *
 * Rejects with a LacewingError `netns-refused` that says what to do.
 */
export async function openUnitNamespace(addon: Addon, netns: string, tuns: number): Promise<NamespaceFiles> {
  try {
    return await addon.openNamespace({ netnsPath: pathOf(netns), tuns });
  } catch (error) {
    // EACCES: a namespace that somebody has just made, seen before it was mounted
    const failure = error as NativeError;
    if (failure.code !== "EPERM" && failure.code !== "EACCES")
      throw refused(netns, notThere(failure, netns) ?? failure.message, error);
  }
  const socketPath = helperSocket();
  try {
    return await inTurn(() => addon.askUnitHelper({ socketPath, netns, tuns }));
  } catch (error) {
    const needed = "it takes CAP_SYS_ADMIN, which we do not have";
    throw refused(netns, `${needed}, and ${trouble(error as NativeError, netns, socketPath)}`, error);
  }
}

/** When who came last has had his answer of the helper. */
let lastAnswer: Promise<void> = Promise.resolve();
/** That it did not answer in time, the last time. */
let silence: unknown;

/**
 * Asks the helper when everybody before has his answer: it answers one after the other anyhow, and one that hangs is to hold up
 * one of the few threads that Node reads files with, not all. Who has waited while it was silent has waited long enough.
 */
async function inTurn(ask: () => Promise<NamespaceFiles>): Promise<NamespaceFiles> {
  const known = silence;
  const before = lastAnswer;
  let answered = (): void => {};
  lastAnswer = new Promise((resolve) => {
    answered = resolve;
  });
  await before;
  try {
    if (silence !== known) throw silence;
    return await ask();
  } catch (error) {
    if ((error as NativeError).code === "ETIMEDOUT") silence = error;
    throw error;
  } finally {
    answered();
  }
}

/** What is wrong with the helper, and what to do. */
function trouble(failure: NativeError, netns: string, socketPath: string): string {
  const { code, syscall, message } = failure;
  const helper = `the helper that has it (${socketPath})`;
  if (syscall === "unit helper") return `${helper} refuses: ${notThere(failure, netns) ?? message}`;
  if (syscall === "connect" && (code === "ENOENT" || code === "ECONNREFUSED"))
    return `${helper} does not run: systemctl enable --now lacewing-units.socket`;
  if (syscall === "connect" && code === "EACCES")
    return `we may not connect to ${helper}: its socket has to be of our group`;
  if (code === "ECONNRESET")
    return `${helper} hung up: it serves another user, or has ended (journalctl -u lacewing-units)`;
  return `${helper} cannot be asked: ${message}`;
}

function notThere({ code, subject }: NativeError, netns: string): string | undefined {
  return code === "ENOENT" && subject.endsWith(pathOf(netns))
    ? `there is none of that name: ip netns add ${netns}`
    : undefined;
}

function refused(netns: string, reason: string, cause: unknown): LacewingError {
  return new LacewingError("netns-refused", `the network namespace ${netns} cannot be entered: ${reason}`, {
    cause,
  });
}
