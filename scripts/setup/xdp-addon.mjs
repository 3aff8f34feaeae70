/**
 * The second addon, with the XDP program. It is built where it can be; else one line says why it was not, and the
 * gateway forwards without it. What failed is tried again when something changed that it depends on.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { installPackages } from "./apt.mjs";
import { NODE_BUILD, nodeDirectory } from "./node-headers.mjs";
import { missingPackages, XDP } from "./packages.mjs";
import { filesUnder, fingerprint, ROOT, readStamp, run, SetupFailure, say, writeStamp } from "./tools.mjs";

/** What it shares with the first one. */
const SHARED = ["addon.gypi", "arguments.cc", "arguments.h", "errors.cc", "errors.h", "unique-fd.h"].map(
  (name) => join("native", name),
);
const BUILT = "native/xdp/build/Release/lacewing_xdp.node";
/** In the stamp of a build that failed. */
const FAILED = "failed ";

/** What is built there is no source. */
export function isSource(file) {
  return !file.startsWith("native/xdp/build");
}

function missing() {
  return missingPackages([XDP]).flatMap(({ packages }) => packages);
}

export function canBuildXdp() {
  return missing().length === 0;
}

/** Builds it in the checkout, or in `directory` that looks like one. */
export async function buildXdp(log, directory = ROOT, environment = {}) {
  const headers = nodeDirectory();
  await run(
    log,
    [
      process.execPath,
      "node_modules/node-gyp/bin/node-gyp.js",
      "rebuild",
      "--directory",
      join(directory, "native/xdp"),
      ...(headers ? [`--nodedir=${headers}`] : []),
    ],
    environment,
  );
}

export const xdpAddon = {
  stamp() {
    const sources = filesUnder("native/xdp", isSource);
    return fingerprint([...SHARED, ...sources], NODE_BUILD, missing().join(" "));
  },
  why() {
    const last = readStamp("xdp-addon");
    const stamp = this.stamp();
    if (last === FAILED + stamp || (last === stamp && existsSync(join(ROOT, BUILT)))) return undefined;
    return "builds the XDP program and its addon: there is none, or native/xdp/ or the version of Node changed";
  },
  async make() {
    try {
      const packages = missing();
      if (packages.length > 0) {
        say(`installs Debian packages: ${packages.join(" ")} (${XDP.why})`);
        await installPackages(packages);
      }
      const stamp = this.stamp();
      await buildXdp("node-gyp-xdp");
      writeStamp("xdp-addon", stamp);
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
      const packages = missing();
      // what a command wrote comes before what is said about it
      const failure = error.message.trim().split("\n").at(-1);
      const reason = packages.length > 0 ? `${packages.join(" ")} cannot be installed` : failure;
      say(`goes on without the XDP program: ${reason}`);
      writeStamp("xdp-addon", FAILED + this.stamp());
    }
  },
};
