/**
 * Builds the Debian package from this checkout, which must be set up (`npm run package` sees to it):
 *
 *     node scripts/package.mjs [FOLDER]
 *
 * writes FOLDER/lacewing_VERSION_ARCHITECTURE.deb (FOLDER is packages/ unless given) and prints its path. The package
 * carries the Node.js that runs this script, since Debian 12 has an older one.
 *
 *     node scripts/package.mjs --tree FOLDER
 *
 * writes only the files that the package would install, for the container image.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { writeControlFiles } from "./package/control.mjs";
import { writeTree } from "./package/tree.mjs";
import { ROOT } from "./setup/tools.mjs";

/** Runs a program to its end; throws with what it said when it fails. */
function output(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", ...options });
  if (status === 0) return stdout.trim();
  throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

if (process.argv[2] === "--tree") {
  writeTree(resolve(process.argv[3]), output);
  process.exit(0);
}

const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const architecture = output("dpkg", ["--print-architecture"]);
const folder = resolve(process.argv[2] ?? join(ROOT, "packages"));
const scratch = mkdtempSync(join(tmpdir(), "lacewing-package-"));
try {
  const tree = join(scratch, "tree");
  const binaries = writeTree(tree, output);
  writeControlFiles(tree, { version, architecture, binaries, scratch }, output);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `lacewing_${version}_${architecture}.deb`);
  output("dpkg-deb", ["--root-owner-group", "-Zzstd", "-z3", "--build", tree, file]);
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
