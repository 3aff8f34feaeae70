// Debian packages as files: downloaded by apt, unpacked by dpkg-deb, never installed.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const APT = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root"];

/** The package that holds the kernel itself, which the meta package of that name depends on. */
export function kernelPackage(metaPackage) {
  const find = () => {
    const depends = tryRun("apt-cache", "depends", metaPackage);
    return depends?.match(/Depends: (linux-image-\S+)/)?.[1];
  };
  let found = find();
  if (found === undefined) {
    updateLists();
    found = find();
  }
  if (found === undefined) throw new Error(`apt knows no package ${metaPackage}: is this Debian on amd64?`);
  return found;
}

/**
 * The .deb files of `packages`, in that order, downloaded into `directory` where they are not there yet.
 * Several processes may do this at once: a file appears whole or not at all.
 */
export function downloadPackages(packages, directory) {
  mkdirSync(directory, { recursive: true });
  const missing = packages.filter((name) => findDeb(name, directory) === undefined);
  if (missing.length > 0) {
    const scratch = mkdtempSync(join(directory, ".download-"));
    try {
      if (!tryDownload(missing, scratch)) {
        updateLists();
        run(scratch, ...APT, "download", ...missing);
      }
      for (const file of readdirSync(scratch)) renameSync(join(scratch, file), join(directory, file));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  return packages.map((name) => findDeb(name, directory));
}

/** Unpacks a .deb into `directory`; with `paths`, only what is at or under them ("./boot"). */
export function unpackPackage(deb, directory, paths = []) {
  mkdirSync(directory, { recursive: true });
  run(
    directory,
    "sh",
    "-c",
    'deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x "$@"',
    "sh",
    deb,
    ...paths,
  );
}

/** {PACKAGE: VERSION, …} as the .deb files themselves say. */
export function packageVersions(debs) {
  const field = (deb, name) => execFileSync("dpkg-deb", ["-f", deb, name], { encoding: "utf8" }).trim();
  return Object.fromEntries(debs.map((deb) => [field(deb, "Package"), field(deb, "Version")]));
}

function findDeb(name, directory) {
  const file = readdirSync(directory).findLast(
    (entry) => entry.startsWith(`${name}_`) && entry.endsWith(".deb"),
  );
  return file === undefined ? undefined : join(directory, file);
}

function updateLists() {
  run("/", ...APT, "update");
}

function tryDownload(packages, directory) {
  try {
    run(directory, ...APT, "download", ...packages);
    return true;
  } catch {
    return false; // the lists are older than the archive, or there are none: the caller updates them
  }
}

function tryRun(command, ...args) {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}

function run(cwd, command, ...args) {
  execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
}
