/** Debian packages by apt-get. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run, SetupFailure } from "./tools.mjs";

const APT_LISTS = "/var/lib/apt/lists";
const APT_LISTS_LIFE_MS = 7 * 24 * 3600 * 1000;
const APT_OPTIONS = ["-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"];

function aptListsAreFresh() {
  if (!existsSync(APT_LISTS) || !readdirSync(APT_LISTS).some((name) => name.includes("_Packages")))
    return false;
  return Date.now() - statSync(APT_LISTS).mtimeMs < APT_LISTS_LIFE_MS;
}

/** What to do where we may not install, or cannot. */
function byHand(reason, packages) {
  const install = `sudo apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  return new SetupFailure(`${reason} Run this, then go on:\n\n    sudo apt-get update && ${install}\n`);
}

/** Installs Debian packages, as root; else ends the set-up with what to do by hand. */
export async function installPackages(packages) {
  if (process.getuid() !== 0)
    throw byHand("Debian packages are missing, and installing them needs root.", packages);
  const apt = spawnSync("apt-get", ["--version"]);
  if (apt.error) throw byHand("Debian packages are missing, and this machine has no apt-get.", packages);

  let updated = !aptListsAreFresh();
  if (updated) await run("apt-update", ["apt-get", "update", ...APT_OPTIONS]);
  const guard = join(ROOT, "scripts/setup/without-daemons.mjs");
  const install = ["apt-get", "install", "--no-install-recommends", ...APT_OPTIONS, ...packages];
  const guarded = [process.execPath, guard, "/usr/sbin/policy-rc.d", ...install];
  for (;;) {
    try {
      // policy-rc.d is one for the whole machine, so the lock is too
      return await run("apt-install", ["flock", "-F", "/run/lacewing-apt.lock", ...guarded]);
    } catch (error) {
      if (updated) throw error;
      // the lists may name versions that the archive no longer has
      updated = true;
      await run("apt-update", ["apt-get", "update", ...APT_OPTIONS]);
    }
  }
}
