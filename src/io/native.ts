import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LacewingError } from "../base/errors.ts";
import type { Addon } from "./addon.ts";

const BUILT = join("build", "Release", "lacewing.node");

/** The package's directory: this file is in src/io when run as it is, and in dist/src/io once compiled. */
function packageDirectory(): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
  return existsSync(join(root, "binding.gyp")) ? root : dirname(root);
}

function load(): Addon {
  const path = join(packageDirectory(), BUILT);
  if (!existsSync(path))
    throw new LacewingError("addon-missing", `${path} is not there: build it with \`npm run build\``);
  return createRequire(import.meta.url)(path) as Addon;
}

/** The native addon. Importing this throws a LacewingError `addon-missing` when it has not been built. */
export const addon: Addon = load();
