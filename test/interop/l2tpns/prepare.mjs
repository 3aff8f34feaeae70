// Prepares l2tpns: downloads Debian's package and the library that it needs and unpacks them, installing neither, so
// that no daemon of theirs is ever enabled on this machine. Prints {"program": PATH, "libraries": PATH,
// "versions": {PACKAGE: VERSION}} as its last line. Takes 0.1 s when all is there.
//
// Everything is kept in $LACEWING_CACHE, else /var/cache/lacewing, under l2tpns/; it may be deleted at any time.

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { downloadPackages, packageVersions, unpackPackage } from "../vm/image/debian.mjs";

const cache = join(process.env.LACEWING_CACHE || "/var/cache/lacewing", "l2tpns");

const debs = downloadPackages(["l2tpns", "libcli1.10"], join(cache, "debs"));
const tree = join(cache, basename(debs[0], ".deb"));
if (!existsSync(tree)) {
  // beside its final place, then moved there whole: two may do this at once
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, ".unpack-"));
  for (const deb of debs) unpackPackage(deb, scratch);
  try {
    renameSync(scratch, tree);
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    if (!existsSync(tree)) throw error;
  }
}
console.log(
  JSON.stringify({
    program: join(tree, "usr/sbin/l2tpns"),
    libraries: join(tree, "usr/lib/x86_64-linux-gnu"),
    versions: packageVersions(debs.slice(0, 1)),
  }),
);
