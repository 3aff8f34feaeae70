/** The files that the Debian package installs. */

import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { ROOT } from "../setup/tools.mjs";
import { runtimeModules } from "./runtime-modules.mjs";

/** Everything of ours but the command, the unit and the configuration. */
const HOME = "usr/lib/lacewing";

const DOCUMENTS = "usr/share/doc/lacewing";

const COMMAND = `#!/bin/sh
exec /${HOME}/node /${HOME}/dist/src/cli/main.js "$@"
`;

/** The XDP program and its addon are left out where they could not be built, as the gateway runs without. */
const XDP_ADDON = "native/xdp/build/Release/lacewing_xdp.node";
const ADDON = "build/Release/lacewing.node";
/** For units in other network namespaces. */
const HELPER = "build/Release/lacewing-units";

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
  cpSync(join(ROOT, "dist/web"), join(root, HOME, "dist/web"), { recursive: true });
  put(join(ROOT, "package.json"), `${HOME}/package.json`);
  const binaries = [
    put(process.execPath, `${HOME}/node`, 0o755),
    put(join(ROOT, ADDON), `${HOME}/${ADDON}`),
    put(join(ROOT, HELPER), `${HOME}/lacewing-units`, 0o755),
  ];
  if (existsSync(join(ROOT, XDP_ADDON))) binaries.push(put(join(ROOT, XDP_ADDON), `${HOME}/${XDP_ADDON}`));
  for (const { folder, files } of runtimeModules())
    for (const file of files) {
      const target = put(join(ROOT, folder, file), `${HOME}/${folder}/${file}`);
      if (file.endsWith(".node")) binaries.push(target);
    }
  for (const binary of binaries) output("strip", ["--strip-unneeded", binary]);

  write("usr/bin/lacewing", COMMAND, 0o755);
  for (const unit of ["lacewing.service", "lacewing-units.service", "lacewing-units.socket"])
    put(join(ROOT, "deploy/systemd", unit), `lib/systemd/system/${unit}`);
  put(join(ROOT, "deploy/debian/lacewing.yaml"), "etc/lacewing/lacewing.yaml");
  for (const sample of ["lac", "lns", "pta", "switch", "users"]) {
    // the schema for editors is beside the folder of the examples
    const text = readFileSync(join(ROOT, `deploy/${sample}.yaml`), "utf8").replace("=../docs/", "=../");
    write(`${DOCUMENTS}/examples/${sample}.yaml`, text);
  }
  put(join(ROOT, "deploy/debian/copyright"), `${DOCUMENTS}/copyright`);
  for (const file of ["grafana-dashboard.json", "alerts.yaml"])
    put(join(ROOT, "deploy", file), `${DOCUMENTS}/${file}`);
  for (const page of [
    "configuration.md",
    "operations.md",
    "troubleshooting.md",
    "openapi.json",
    "lacewing.schema.json",
  ])
    put(join(ROOT, "docs", page), `${DOCUMENTS}/${page}`);
  const zipped = (path) => gzipSync(readFileSync(join(ROOT, path)), { level: 9 });
  write("usr/share/man/man8/lacewing.8.gz", zipped("deploy/lacewing.8"));
  const command = join(root, HOME, "dist/src/cli/main.js");
  const completion = (shell) => output(process.execPath, [command, "completion", shell]);
  write("usr/share/bash-completion/completions/lacewing", `${completion("bash")}\n`);
  write("usr/share/zsh/vendor-completions/_lacewing", `${completion("zsh")}\n`);
  write(`${DOCUMENTS}/changelog.gz`, zipped("CHANGELOG.md"));
  return binaries;
}
