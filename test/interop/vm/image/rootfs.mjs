// What is in the VM's root file system: programs with the shared libraries they need, modules and scripts.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";

const DIRECTORIES = [
  "proc",
  "sys",
  "dev",
  "tmp",
  "root",
  "share",
  "run/netns",
  "run/lock",
  "run/xl2tpd",
  "var/log",
];
const MERGED = { bin: "usr/bin", sbin: "usr/sbin", lib: "usr/lib", lib64: "usr/lib64", "var/run": "../run" };

/** Collects entries for a cpio archive; parents are added as they are needed. */
export class Rootfs {
  /** @type {Map<string, import("./cpio.mjs").CpioEntry>} */
  #entries = new Map();

  constructor() {
    for (const directory of [
      ...DIRECTORIES,
      ...Object.values(MERGED).filter((path) => !path.startsWith("..")),
    ])
      this.addDirectory(directory);
    for (const [path, target] of Object.entries(MERGED)) this.addSymlink(path, target);
  }

  entries() {
    return [...this.#entries.values()];
  }

  addDirectory(path) {
    if (this.#entries.has(path) || path === ".") return;
    this.addDirectory(dirname(path));
    this.#entries.set(path, { kind: "directory", path });
  }

  addSymlink(path, target) {
    this.addDirectory(dirname(path));
    this.#entries.set(path, { kind: "symlink", path, target });
  }

  addFile(path, data, executable = false) {
    const place = withoutMergedLink(path);
    this.addDirectory(dirname(place));
    this.#entries.set(place, { kind: "file", path: place, data, executable });
  }

  /** Adds an ELF program or plugin found at `source`, and its libraries from `libraryPath` or this machine. */
  addProgram(path, source, libraryPath) {
    this.addFile(path, readFileSync(source), true);
    for (const library of librariesOf(source, libraryPath)) {
      // the loader looks a library up by the name in its needer, wherever the file was found
      const name = library.startsWith("/lib64/")
        ? library.slice(1)
        : `usr/lib/x86_64-linux-gnu/${basename(library)}`;
      if (!this.#entries.has(withoutMergedLink(name))) this.addFile(name, readFileSync(library), true);
    }
  }

  /** Adds one of this machine's programs at the place where it was found. */
  addHostProgram(name) {
    const found = hostProgram(name);
    this.addProgram(found.slice(1), found);
  }

  /** Adds this machine's statically linked busybox, under all the names that nothing else has taken yet. */
  addBusybox() {
    const found = hostProgram("busybox");
    this.addFile("usr/bin/busybox", readFileSync(found), true);
    for (const applet of execFileSync(found, ["--list"], { encoding: "utf8" }).trim().split("\n")) {
      if (this.#entries.has(`usr/bin/${applet}`) || this.#entries.has(`usr/sbin/${applet}`)) continue;
      this.addSymlink(`usr/bin/${applet}`, "busybox");
    }
  }
}

function hostProgram(name) {
  const directory = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].find((entry) =>
    existsSync(`${entry}/${name}`),
  );
  if (directory === undefined) throw new Error(`this machine has no ${name}`);
  return `${directory}/${name}`;
}

/** "lib/x" is "usr/lib/x": the archive has each file at its true place only. */
function withoutMergedLink(path) {
  const [first, ...rest] = path.split("/");
  const target = MERGED[first];
  return target === undefined || rest.length === 0 ? path : [target, ...rest].join("/");
}

function librariesOf(program, libraryPath) {
  const env = { ...process.env, ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }) };
  const listing = execFileSync("ldd", [program], { encoding: "utf8", env });
  const missing = listing.match(/^\s*(\S+) => not found/m);
  if (missing) throw new Error(`${program} needs ${missing[1]}, which is not on this machine`);
  return [...listing.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1]);
}
