// Prepares the root of a Debian system in which the package is tested: Debian 12 by debootstrap, with systemd, and with the
// libraries that the package depends on, so that installing it needs no network. Prints its path as the last line. Takes
// a minute, and 0.1 s when all is there.
//
// It is kept in $LACEWING_CACHE, else /var/cache/lacewing, under debian-root/; it may be deleted at any time.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const RELEASE = "bookworm";
const INCLUDED = ["systemd", "dbus", "adduser", "libstdc++6", "libpcap0.8", "libbpf1", "iproute2"];

const cache = join(process.env.LACEWING_CACHE || "/var/cache/lacewing", "debian-root");
const fingerprint = createHash("sha256")
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .digest("hex");
const root = join(cache, fingerprint.slice(0, 16));

if (!existsSync(root)) {
  // beside its final place, then moved there whole: two may do this at once
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, ".bootstrap-"));
  const args = ["--variant=minbase", `--include=${INCLUDED.join(",")}`, RELEASE, scratch];
  const { status, error, stdout } = spawnSync("debootstrap", args, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) {
    rmSync(scratch, { recursive: true, force: true });
    const said = (stdout ?? "").split("\n").slice(-20).join("\n");
    throw new Error(`debootstrap failed (${error?.message ?? `status ${status}`}):\n${said}`);
  }
  try {
    renameSync(scratch, root);
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    if (!existsSync(root)) throw error;
  }
}
console.log(root);
