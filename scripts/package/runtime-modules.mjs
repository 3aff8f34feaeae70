/** What of node_modules a running gateway loads, and the licences of it and of what is in the page. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../setup/tools.mjs";

/** They build addons, and are not loaded afterwards. */
const BUILD_ONLY = new Set(["node-addon-api", "node-gyp", "nan"]);

const LICENCE = /^licen[cs]e(\.\w+)?$/i;

/** They are inside the page's script: nothing of theirs is loaded but that, which is to have their licences beside it. */
const IN_PAGE = ["preact", "uplot"];

/** Sources of addons, types, maps and examples: nothing that is loaded. */
const NOT_LOADED =
  /\.(d\.[cm]?ts|map|md|markdown|ts|cc|cpp|h|gyp|gypi|o|a|d|mk|flow)$|(^|\/)(obj\.target|\.deps|examples?)\//;

/**
 * The packages that package.json's dependencies come to, each with the files of it that are loaded and its licence.
 * @returns {{ folder: string, files: string[] }[]} folders relative to the checkout, files relative to them
 */
export function runtimeModules() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const found = new Map();
  const visit = (from, name) => {
    if (BUILD_ONLY.has(name)) return;
    const folder = resolveModule(packages, from, name);
    if (folder === undefined || found.has(folder)) return;
    found.set(folder, filesOf(folder));
    for (const next of Object.keys(packages[folder].dependencies ?? {})) visit(folder, next);
  };
  for (const name of Object.keys(packages[""].dependencies)) visit("", name);
  for (const folder of IN_PAGE.map((name) => `node_modules/${name}`))
    found.set(
      folder,
      filesOf(folder).filter((file) => LICENCE.test(file)),
    );
  return [...found].map(([folder, files]) => ({ folder, files }));
}

/** As Node.js does it: in the folder's own node_modules, then in those above. */
function resolveModule(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules")))) {
    const candidate = join(folder, "node_modules", name);
    if (packages[candidate] !== undefined) return candidate;
    if (folder === "") return undefined;
  }
}

function filesOf(folder) {
  const absolute = join(ROOT, folder);
  if (!existsSync(absolute)) return [];
  const all = readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(absolute.length + 1));
  // where there is no file of its own, it stands at the end of the readme
  const licence = all.some((file) => LICENCE.test(file)) ? LICENCE : /^readme\.md$/i;
  return all
    .filter((file) => licence.test(file) || (!NOT_LOADED.test(file) && !file.startsWith("node_modules/")))
    .sort();
}
