/** Node's C++ headers, where they came with the node that runs us: nothing is downloaded then. */

import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The directory that node-gyp calls nodedir, or undefined when there are no headers of this very version beside
 * process.execPath; node-gyp downloads them then.
 * @returns {string | undefined}
 */
export function nodeDirectory() {
  const directory = dirname(dirname(realpathSync(process.execPath)));
  const header = join(directory, "include/node/node_version.h");
  if (!existsSync(header)) return undefined;
  const text = readFileSync(header, "utf8");
  const number = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  const version = `${number("MAJOR")}.${number("MINOR")}.${number("PATCH")}`;
  return version === process.versions.node ? directory : undefined;
}

/** What a compiled module depends on besides its own sources. */
export const NODE_BUILD = `${process.version} ${process.arch} abi ${process.versions.modules}`;
