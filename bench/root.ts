import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout: this file is in bench/ when run as it is, and in dist/bench/ once compiled. */
export const ROOT: string = checkout();

function checkout(): string {
  const parent = dirname(dirname(fileURLToPath(import.meta.url)));
  return existsSync(join(parent, "package.json")) ? parent : dirname(parent);
}

/** A compiled script of this checkout: "src/cli/main". */
export function compiled(script: string): string {
  return join(ROOT, "dist", `${script}.js`);
}
