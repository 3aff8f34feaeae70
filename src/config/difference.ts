/** What is different between two checked configurations, in the terms of the file. */

import { isDeepStrictEqual } from "node:util";
import { equalBytes } from "../base/bytes.ts";
import { Secret } from "../base/secret.ts";
import { fileKey } from "./block.ts";
import type { Config } from "./config.ts";

/** One difference. */
export interface Difference {
  /** "l2tp.peers[lns1].dscp", "realms[isp.example]", "users-file[alice]". */
  readonly path: string;
  /** Where that is in any file: "l2tp.peers[].dscp", as effectOf() takes it. */
  readonly place: string;
  readonly change: "added" | "changed" | "removed";
  /** What the program calls the value, and the values themselves; undefined where there is none. */
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

type Values = Readonly<Record<string, unknown>>;

/** What the elements of a list are told apart by. Other lists are values as a whole. */
const IDENTITIES: Readonly<Record<string, (element: Values) => string>> = {
  access: (line) => String(line.interface),
  "control.listen": ({ address, port }) => socketAddress(address, port),
  "l2tp.listen": listenerIdentity,
  "l2tp.peers": (peer) => String(peer.name),
};

/** Mappings and the elements of lists and mappings that are compared key by key; others are values as a whole. */
const BLOCKS: ReadonlySet<string> = new Set([
  "log",
  "control",
  "control.listen[]",
  "control.listen[].tls",
  "journal",
  "data-plane",
  "access[]",
  "l2tp",
  "l2tp.listen[]",
  "l2tp.peers[]",
  "l2tp.peers[].switch-avps",
  "lns-groups.*",
  "units.*",
]);

/** What a local address of L2TP is told apart by: a socket is bound to all of it. */
export function listenerIdentity({ address, udpPort, interface: device }: Values): string {
  const socket = socketAddress(address, udpPort);
  return device === undefined ? socket : `${socket}%${device}`;
}

function socketAddress(address: unknown, port: unknown): string {
  return String(address).includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Everything that is different; nothing when the two say the same. */
export function differences(before: Config, after: Config): readonly Difference[] {
  const { users: usersBefore, ...fileBefore } = before;
  const { users: usersAfter, ...fileAfter } = after;
  return [
    ...inBlock({ path: "", place: "" }, fileBefore as Values, fileAfter as Values),
    ...inElements(
      { path: "users-file", place: "users-file" },
      new Map(usersBefore.map((user) => [user.name, user])),
      new Map(usersAfter.map((user) => [user.name, user])),
    ),
  ];
}

/** A place in one file, and in any. */
interface Where {
  readonly path: string;
  readonly place: string;
}

function inBlock(where: Where, before: Values, after: Values): readonly Difference[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const key = fileKey(name);
    const dot = where.path === "" ? "" : ".";
    const here = { path: `${where.path}${dot}${key}`, place: `${where.place}${dot}${key}` };
    return inValue(here, name, before[name], after[name]);
  });
}

function inValue(where: Where, name: string, before: unknown, after: unknown): readonly Difference[] {
  const identity = IDENTITIES[where.place];
  if (identity !== undefined) {
    const [old, next] = [before, after].map((list) =>
      (list as Values[]).map((each) => [identity(each), each] as const),
    );
    return [
      ...inElements(where, new Map(old), new Map(next)),
      ...inOrder(where, name, before, after, identity),
    ];
  }
  if (before instanceof Map && after instanceof Map) return inElements(where, before, after);
  if (BLOCKS.has(where.place) && before !== undefined && after !== undefined)
    return inBlock(where, before as Values, after as Values);
  if (isSame(before, after)) return [];
  const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  return [{ ...where, change, name, before, after }];
}

function inElements(
  where: Where,
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): readonly Difference[] {
  const suffix = IDENTITIES[where.place] === undefined ? ".*" : "[]";
  const found: Difference[] = [];
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [old, next] = [before.get(id), after.get(id)];
    // of ten thousand users nearly all: where they are need not be put into words
    if (isSame(old, next)) continue;
    const here = { path: `${where.path}[${id}]`, place: `${where.place}${suffix}` };
    found.push(...inValue(here, id, old, next));
  }
  return found;
}

/** The first of the local addresses that fits a peer is the one that it is called from. */
function inOrder(
  where: Where,
  name: string,
  before: unknown,
  after: unknown,
  identity: (element: Values) => string,
): readonly Difference[] {
  const [old = [], next = []] = [before, after].map((list) => (list as Values[]).map(identity));
  const staying = old.filter((id) => next.includes(id));
  const isInOrder = isDeepStrictEqual(
    staying,
    next.filter((id) => old.includes(id)),
  );
  return isInOrder ? [] : [{ ...where, change: "changed", name, before: old, after: next }];
}

/** Secrets by their octets; in whatever else the values may have in them. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof Secret && b instanceof Secret) return equalBytes(a.octets(), b.octets());
  if (isPlain(a) && isPlain(b)) {
    for (const name in a) if (!isSame(a[name], b[name])) return false;
    for (const name in b) if (b[name] !== undefined && a[name] === undefined) return false;
    return true;
  }
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  return isDeepStrictEqual(a, b);
}

function isPlain(value: unknown): value is Values {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
