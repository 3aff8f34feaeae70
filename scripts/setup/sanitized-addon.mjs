/**
 * The addon once more, built with AddressSanitizer and UndefinedBehaviorSanitizer, in a directory of its own that looks
 * like a checkout: `npm run test:sanitizers` copies the tests beside it, and they find it as they find the usual one.
 */

import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { NODE_BUILD, nodeDirectory } from "./node-headers.mjs";
import { filesUnder, fingerprint, ROOT, readStamp, run, STAMPS, writeStamp } from "./tools.mjs";
import { buildXdp, canBuildXdp, isSource } from "./xdp-addon.mjs";

/** That directory. */
export const SANITIZED = join(STAMPS, "sanitizers");

const SANITIZE = { GYP_DEFINES: "sanitize=1" };
const FOLDERS = ["native", "test/sanitizers"];
const SOURCES = ["binding.gyp", ...FOLDERS];

export const sanitizedAddon = {
  stamp: () =>
    fingerprint(["binding.gyp", ...FOLDERS.flatMap((path) => filesUnder(path, isSource))], NODE_BUILD),
  why() {
    const built = existsSync(join(SANITIZED, "build/Release/lacewing.node"));
    if (built && readStamp("sanitized-addon") === this.stamp()) return undefined;
    return "builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer";
  },
  async make() {
    const stamp = this.stamp();
    const directory = nodeDirectory();
    rmSync(SANITIZED, { recursive: true, force: true });
    mkdirSync(SANITIZED, { recursive: true });
    const filter = (path) => isSource(relative(ROOT, path));
    for (const path of SOURCES) cpSync(join(ROOT, path), join(SANITIZED, path), { recursive: true, filter });
    symlinkSync(join(ROOT, "node_modules"), join(SANITIZED, "node_modules"));
    await run(
      "node-gyp-sanitizers",
      [
        process.execPath,
        "node_modules/node-gyp/bin/node-gyp.js",
        "rebuild",
        "--directory",
        SANITIZED,
        ...(directory ? [`--nodedir=${directory}`] : []),
      ],
      SANITIZE,
    );
    if (canBuildXdp()) await buildXdp("node-gyp-xdp-sanitizers", SANITIZED, SANITIZE);
    writeStamp("sanitized-addon", stamp);
  },
};
