/** What dpkg is told of the package: DEBIAN/control, its scripts and the sums of its files. */

import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ROOT } from "../setup/tools.mjs";

const SCRIPTS = ["postinst", "prerm", "postrm"];

/**
 * Writes `tree`/DEBIAN.
 * @param {string} tree the files that will be installed
 * @param {{ version: string, architecture: string, binaries: string[], scratch: string }} about
 * @param {(command: string, args: string[], options?: object) => string} output runs a program
 */
export function writeControlFiles(tree, { version, architecture, binaries, scratch }, output) {
  const folder = join(tree, "DEBIAN");
  mkdirSync(folder);
  const files = filesOf(tree);
  const kib = Math.ceil(files.reduce((sum, file) => sum + statSync(join(tree, file)).size, 0) / 1024);
  const control = readFileSync(join(ROOT, "deploy/debian/control.in"), "utf8")
    .replace("@VERSION@", version)
    .replace("@ARCHITECTURE@", architecture)
    .replace("@INSTALLED_SIZE@", String(kib))
    .replace("@LIBRARIES@", libraries(binaries, scratch, output));
  writeFileSync(join(folder, "control"), control);
  const configuration = files.filter((file) => file.startsWith("etc/"));
  writeFileSync(join(folder, "conffiles"), configuration.map((file) => `/${file}\n`).join(""));
  const sums = files
    .filter((file) => !configuration.includes(file))
    .map(
      (file) =>
        `${createHash("md5")
          .update(readFileSync(join(tree, file)))
          .digest("hex")}  ${file}\n`,
    );
  writeFileSync(join(folder, "md5sums"), sums.join(""));
  for (const script of SCRIPTS) {
    copyFileSync(join(ROOT, "deploy/debian", script), join(folder, script));
    chmodSync(join(folder, script), 0o755);
  }
}

/** The packages, with versions, that the libraries of `binaries` come from. */
function libraries(binaries, scratch, output) {
  // dpkg-shlibdeps wants to be in a source package
  mkdirSync(join(scratch, "debian"));
  writeFileSync(
    join(scratch, "debian/control"),
    "Source: lacewing\n\nPackage: lacewing\nArchitecture: any\n",
  );
  const named = binaries.map((binary) => `-e${binary}`);
  const line = output("dpkg-shlibdeps", ["-O", ...named], { cwd: scratch });
  return line.replace(/^shlibs:Depends=/, "");
}

function filesOf(tree) {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(tree.length + 1))
    .filter((file) => !file.startsWith("DEBIAN/"))
    .sort();
}
