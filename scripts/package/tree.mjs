/** The files that the Debian package installs. */

import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { ROOT } from "../setup/tools.mjs";
import { runtimeModules } from "./runtime-modules.mjs";

/** Everything of ours but the command, the unit and the configuration. */
const HOME = "usr/lib/lacewing";

const COMMAND = `#!/bin/sh
exec /${HOME}/node /${HOME}/dist/src/cli/main.js "$@"
`;

/** The XDP program and its addon are left out where they could not be built, as the gateway runs without. */
const XDP_ADDON = "native/xdp/build/Release/lacewing_xdp.node";
const ADDON = "build/Release/lacewing.node";

/**
 * Writes the tree under `root`.
 * @param {string} root an empty folder, or one that is not there yet
 * @param {(command: string, args: string[]) => string} output runs a program
 * @returns {string[]} the programs and libraries in it, whose own libraries the package depends on
 */
export function writeTree(root, output) {
  const put = (from, to, mode = 0o644) => {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(from, target);
    chmodSync(target, mode);
    return target;
  };
  const write = (to, text, mode = 0o644) => {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    chmodSync(target, mode);
  };

  cpSync(join(ROOT, "dist/src"), join(root, HOME, "dist/src"), {
    recursive: true,
    filter: (file) => !file.endsWith(".map"),
  });
  put(join(ROOT, "package.json"), `${HOME}/package.json`);
  const binaries = [put(process.execPath, `${HOME}/node`, 0o755), put(join(ROOT, ADDON), `${HOME}/${ADDON}`)];
  if (existsSync(join(ROOT, XDP_ADDON))) binaries.push(put(join(ROOT, XDP_ADDON), `${HOME}/${XDP_ADDON}`));
  for (const { folder, files } of runtimeModules())
    for (const file of files) {
      const target = put(join(ROOT, folder, file), `${HOME}/${folder}/${file}`);
      if (file.endsWith(".node")) binaries.push(target);
    }
  for (const binary of binaries) output("strip", ["--strip-unneeded", binary]);

  write("usr/bin/lacewing", COMMAND, 0o755);
  put(join(ROOT, "deploy/systemd/lacewing.service"), "lib/systemd/system/lacewing.service");
  put(join(ROOT, "deploy/debian/lacewing.yaml"), "etc/lacewing/lacewing.yaml");
  for (const sample of ["lac", "lns", "pta", "switch", "users"])
    put(join(ROOT, `deploy/${sample}.yaml`), `usr/share/doc/lacewing/examples/${sample}.yaml`);
  put(join(ROOT, "deploy/debian/copyright"), "usr/share/doc/lacewing/copyright");
  write(
    "usr/share/doc/lacewing/changelog.gz",
    gzipSync(readFileSync(join(ROOT, "CHANGELOG.md")), { level: 9 }),
  );
  return binaries;
}
