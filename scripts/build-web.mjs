/** Builds the gateway's page (web/) into dist/web: one page, one script, one style sheet. */

import { fileURLToPath } from "node:url";
import { build } from "vite";

await build({
  configFile: fileURLToPath(new URL("../web/vite.config.ts", import.meta.url)),
  // warnings are not hidden, and an error ends the process
  logLevel: "warn",
});
