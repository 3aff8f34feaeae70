import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DataplaneError } from "../../channel/errors.ts";

/**
 * The compiled worker: the sibling of this file, or, when this file is run as TypeScript, the one in dist/ (a
 * thread does not inherit a test runner's loader).
 */
export function workerUrl(): URL {
  const here = import.meta.url;
  const compiled = here.endsWith(".js") ? here : here.replace(/\/src\/(.*)\.ts$/, "/dist/src/$1.js");
  const url = new URL("worker.js", compiled);
  if (!existsSync(fileURLToPath(url)))
    throw new DataplaneError(
      "not-built",
      `${fileURLToPath(url)} is not there: build it with \`npm run build\``,
    );
  return url;
}
