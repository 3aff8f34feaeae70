/**
 * The steps of the set-up, in order. Each can tell cheaply why it must be done (undefined when it must not) and
 * do it. A step that was interrupted leaves no stamp and is done again.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPackages } from "./apt.mjs";
import { NODE_BUILD, nodeDirectory } from "./node-headers.mjs";
import { missingPackages, packageGroups } from "./packages.mjs";
import { sanitizedAddon } from "./sanitized-addon.mjs";
import { filesUnder, fingerprint, ROOT, readStamp, run, say, writeStamp } from "./tools.mjs";
import { xdpAddon } from "./xdp-addon.mjs";

function debianPackages(purpose) {
  const missing = () => missingPackages(packageGroups(purpose, ROOT));
  return {
    why() {
      const groups = missing();
      if (groups.length === 0) return undefined;
      const needs = groups.map(({ why, packages }) => `${packages.join(" ")} (${why})`);
      return `installs Debian packages: ${needs.join(", ")}`;
    },
    make: () => installPackages(missing().flatMap(({ packages }) => packages)),
  };
}

/** Whether node_modules is what package-lock.json says, as somebody's own npm run left it. */
function modulesAgreeWithLock() {
  const hidden = join(ROOT, "node_modules/.package-lock.json");
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const locked = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")).packages;
  const agrees = Object.entries(locked).every(
    ([path, { version, optional }]) =>
      path === "" || installed[path]?.version === version || (optional && installed[path] === undefined),
  );
  if (!agrees) return false;
  // loading them shows that their install scripts ran, and for this version of Node
  const load = 'require("cap"); require("raw-socket")';
  return spawnSync(process.execPath, ["-e", load], { cwd: ROOT }).status === 0;
}

const nodeModules = {
  stamp: () => fingerprint(["package-lock.json"], NODE_BUILD),
  why() {
    if (!existsSync(join(ROOT, "node_modules"))) return "installs node_modules by npm ci: there is none";
    const last = readStamp("node-modules");
    if (last === this.stamp()) return undefined;
    if (modulesAgreeWithLock()) {
      writeStamp("node-modules", this.stamp());
      return undefined;
    }
    return "installs node_modules by npm ci: it is not what package-lock.json and this version of Node need";
  },
  async make() {
    const environment = {};
    const directory = nodeDirectory();
    if (directory) environment.npm_config_nodedir = directory;
    // npm's own path when npm runs us: another npm may come first in PATH
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
    await run("npm-ci", [...npm, "ci", "--include=dev", "--no-audit", "--no-fund"], environment);
    writeStamp("node-modules", this.stamp());
  },
};

const addon = {
  stamp() {
    const sources = filesUnder("native", (file) => !file.startsWith("native/xdp/"));
    return fingerprint(["binding.gyp", ...sources], NODE_BUILD);
  },
  why() {
    const built = filesUnder("build/Release", (file) => file.endsWith(".node"));
    if (built.length === 0) return "builds the addon by node-gyp: there is none";
    if (readStamp("addon") === this.stamp()) return undefined;
    return "builds the addon by node-gyp: native/ or the version of Node changed";
  },
  async make() {
    const directory = nodeDirectory();
    if (!directory) {
      say(
        `no headers of Node ${process.version} are beside ${process.execPath}: node-gyp will download them`,
      );
    }
    const stamp = this.stamp();
    await run("node-gyp", [
      process.execPath,
      "node_modules/node-gyp/bin/node-gyp.js",
      "rebuild",
      ...(directory ? [`--nodedir=${directory}`] : []),
    ]);
    writeStamp("addon", stamp);
  },
};

const COMPILED = ["src", "lab", "bench"];
const sources = () => COMPILED.flatMap((folder) => filesUnder(folder, (file) => file.endsWith(".ts")));

/** Nothing may still find a module whose source is gone. */
function removeOrphans() {
  const kept = new Set(sources().map((file) => file.slice(0, -".ts".length)));
  for (const folder of COMPILED) {
    for (const file of filesUnder(join("dist", folder))) {
      const source = file.slice("dist/".length).replace(/\.js(\.map)?$/, "");
      if (!kept.has(source)) rmSync(join(ROOT, file));
    }
  }
}

const dist = {
  stamp: () => fingerprint(["tsconfig.json", "tsconfig.build.json", "package-lock.json", ...sources()]),
  why() {
    if (!existsSync(join(ROOT, "dist"))) return "builds dist/ by tsc: there is none";
    return readStamp("dist") === this.stamp() ? undefined : "builds dist/ by tsc: sources changed";
  },
  async make() {
    const stamp = this.stamp();
    await run("tsc", [process.execPath, "node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"]);
    removeOrphans();
    writeStamp("dist", stamp);
  },
};

/** The page that the gateway serves, for a browser. */
const page = {
  stamp: () => fingerprint(["package-lock.json", "scripts/build-web.mjs", ...filesUnder("web")]),
  why() {
    if (!existsSync(join(ROOT, "dist/web/index.html"))) return "builds the page by vite: there is none";
    return readStamp("page") === this.stamp() ? undefined : "builds the page by vite: web/ changed";
  },
  async make() {
    const stamp = this.stamp();
    await run("vite", [process.execPath, "scripts/build-web.mjs"]);
    writeStamp("page", stamp);
  },
};

/** The tests prepare it too, should its cache be gone; here it is said why that takes a while. Only root can. */
const peerVm = {
  stamp: () => fingerprint(filesUnder("test/interop/vm", (file) => !file.endsWith(".test.ts"))),
  why() {
    if (process.getuid() !== 0 || readStamp("peer-vm") === this.stamp()) return undefined;
    return "prepares the VM with real peers: downloads Debian's kernel, ppp, pppoe and xl2tpd, installing none";
  },
  async make() {
    const stamp = this.stamp();
    await run("peer-vm", [process.execPath, "test/interop/vm/prepare.mjs"]);
    writeStamp("peer-vm", stamp);
  },
};

/** What the package is tested in, likewise. */
const debianRoot = {
  stamp: () => fingerprint(["test/deploy/prepare.mjs"]),
  why() {
    if (process.getuid() !== 0 || readStamp("debian-root") === this.stamp()) return undefined;
    return "prepares a Debian system in which the package is tested: debootstrap, for a minute";
  },
  async make() {
    const stamp = this.stamp();
    await run("debian-root", [process.execPath, "test/deploy/prepare.mjs"]);
    writeStamp("debian-root", stamp);
  },
};

/** A peer of `npm run interop`, likewise. */
const l2tpns = {
  stamp: () => fingerprint(["test/interop/l2tpns/prepare.mjs", "test/interop/vm/image/debian.mjs"]),
  why() {
    if (process.getuid() !== 0 || readStamp("l2tpns") === this.stamp()) return undefined;
    return "prepares another real peer: downloads Debian's l2tpns, not installing it";
  },
  async make() {
    const stamp = this.stamp();
    await run("l2tpns", [process.execPath, "test/interop/l2tpns/prepare.mjs"]);
    writeStamp("l2tpns", stamp);
  },
};

/** @type {Record<string, { why(): string | undefined, make(): Promise<void> }[]>} */
export const STEPS = {
  run: [debianPackages("run"), nodeModules, addon, xdpAddon, dist, page],
  test: [debianPackages("test"), nodeModules, addon, xdpAddon, dist, page, peerVm, debianRoot],
  interop: [debianPackages("test"), nodeModules, addon, xdpAddon, dist, peerVm, l2tpns],
  check: [debianPackages("check"), nodeModules],
  build: [debianPackages("build"), nodeModules, addon, xdpAddon, dist, page],
  package: [debianPackages("package"), nodeModules, addon, xdpAddon, dist, page],
  bench: [debianPackages("bench"), nodeModules, addon, xdpAddon, dist],
  sanitizers: [debianPackages("run"), nodeModules, dist, sanitizedAddon],
};
