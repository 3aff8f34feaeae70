// Prints the path of a cpio archive with what the benchmark needs in the VM of real peers (test/interop/vm) beyond that
// VM's own image: Node, this checkout as it is compiled, the tools of bench/xdp/, and their libraries. Its argument is
// where to write it.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpioArchive } from "../../test/interop/vm/image/cpio.mjs";
import { Rootfs } from "../../test/interop/vm/image/rootfs.mjs";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Where the checkout is in the VM. */
const INSIDE = "lacewing";
const TOOLS = ["frames", "gro", "kernel-bridge"];
const ADDONS = ["build/Release/lacewing.node", "native/xdp/build/Release/lacewing_xdp.node"];
const OTHER_FILES = ["package.json", "build/bench/frames.bpf.o"];
const COMPILED = ["dist/src", "dist/bench"];

const rootfs = new Rootfs();
rootfs.addProgram("usr/bin/node", process.execPath);
for (const tool of TOOLS) rootfs.addProgram(`${INSIDE}/build/bench/${tool}`, join(ROOT, "build/bench", tool));
for (const addon of ADDONS) rootfs.addProgram(`${INSIDE}/${addon}`, join(ROOT, addon));
for (const file of OTHER_FILES) rootfs.addFile(`${INSIDE}/${file}`, readFileSync(join(ROOT, file)));
for (const directory of COMPILED) {
  for (const entry of readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" })) {
    const path = join(directory, entry);
    if (entry.endsWith(".js") && statSync(join(ROOT, path)).isFile())
      rootfs.addFile(`${INSIDE}/${path}`, readFileSync(join(ROOT, path)));
  }
}
const archive = process.argv[2];
writeFileSync(archive, cpioArchive(rootfs.entries()));
console.log(archive);
