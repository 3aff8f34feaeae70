// From Debian's kernel package: the kernel as an ELF file, and the modules that the VM loads.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const XZ_MAGIC = Buffer.from("fd377a585a00", "hex");
const ELF_MAGIC = Buffer.from("7f454c46", "hex");

/**
 * Takes the ELF kernel out of a bzImage. QEMU starts it through its PVH entry, which spares the emulated
 * processor the decompression: about three seconds a boot.
 */
export function extractKernel(bzImage, target) {
  const image = readFileSync(bzImage);
  const start = image.indexOf(XZ_MAGIC);
  if (start < 0) throw new Error(`${bzImage} is not compressed with xz: teach extractKernel its format`);
  const kernel = execFileSync("xz", ["-dc", "--single-stream"], {
    input: image.subarray(start),
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (!kernel.subarray(0, 4).equals(ELF_MAGIC)) throw new Error(`${bzImage} holds no ELF kernel`);
  writeFileSync(target, kernel);
}

/** The files of `names` and of all that they depend on, each after what it needs. */
export function modulesInLoadOrder(names, moduleTree) {
  const files = new Map();
  for (const entry of readdirSync(moduleTree, { recursive: true })) {
    if (entry.endsWith(".ko")) files.set(canonicalName(basename(entry, ".ko")), join(moduleTree, entry));
  }
  const ordered = new Set();
  const add = (name) => {
    const file = files.get(canonicalName(name));
    if (file === undefined) throw new Error(`the kernel package has no module ${name}`);
    if (ordered.has(file)) return;
    for (const needed of dependencies(file)) add(needed);
    ordered.add(file);
  };
  for (const name of names) add(name);
  return [...ordered];
}

/** File names write "-" where the module's own name has "_". */
function canonicalName(name) {
  return name.replaceAll("-", "_");
}

/** The module's .modinfo section is NUL-terminated text, one entry of it "depends=a,b". */
function dependencies(file) {
  const bytes = readFileSync(file);
  const key = Buffer.from("\0depends=");
  const at = bytes.indexOf(key);
  if (at < 0) return [];
  const start = at + key.length;
  const value = bytes.toString("latin1", start, bytes.indexOf(0, start));
  return value === "" ? [] : value.split(",");
}
