import { IdPool } from "../base/ids.ts";
import { DataplaneError } from "../channel/errors.ts";

/** The entries of a table, from 1: 0 means none. */
export function numbers(max: number): IdPool {
  return new IdPool({ min: 1, max, nextFresh: 1, freshLeft: max, released: [], releasedHead: 0 });
}

/** A free entry; throws a DataplaneError `table-full` when there is none. */
export function take(pool: IdPool, what: string): number {
  const number = pool.take();
  if (number === undefined) throw tableFull(what);
  return number;
}

export function tableFull(what: string): DataplaneError {
  return new DataplaneError("table-full", `no room for more ${what}`);
}
