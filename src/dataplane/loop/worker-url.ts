import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DataplaneError } from "../../channel/errors.ts";

/**
 * The compiled worker: the sibling of this file, or, when this file is run as TypeScript, the one in dist/ (a
 * thread does not inherit a test runner's loader).
 */
export function workerUrl(): URL {
  const isCompiled = import.meta.url.endsWith(".js");
  const url = isCompiled
    ? new URL("./worker.js", import.meta.url)
    : new URL("../../../dist/src/dataplane/loop/worker.js", import.meta.url);
  if (!existsSync(fileURLToPath(url)))
    throw new DataplaneError(
      "not-built",
      `${fileURLToPath(url)} is not there: build it with \`npm run build\``,
    );
  return url;
}
