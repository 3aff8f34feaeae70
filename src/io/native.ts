import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LacewingError } from "../base/errors.ts";
import type { Addon } from "./addon.ts";

const BUILT = join("build", "Release", "lacewing.node");

/** The package's directory, seen from `io`: src/io as it is written, dist/src/io once compiled. */
export function packageDirectory(io: string): string {
  const above = join(io, "..", "..");
  return existsSync(join(above, "binding.gyp")) ? above : dirname(above);
}

/** Loads the addon that was built in a package; throws a LacewingError `addon-missing` when none was. */
export function loadAddon(directory: string): Addon {
  const path = join(directory, BUILT);
  if (!existsSync(path))
    throw new LacewingError("addon-missing", `${path} is not there: build it with \`npm run build\``);
  return createRequire(import.meta.url)(path) as Addon;
}

/** Ours. Importing this throws when it has not been built. */
export const addon: Addon = loadAddon(packageDirectory(dirname(fileURLToPath(import.meta.url))));
