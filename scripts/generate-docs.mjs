/**
 * `npm run docs`: writes what is generated in docs/ anew, from the built program. Tests tell when a page is not what the
 * source says.
 */

import { writeFileSync } from "node:fs";
import { configJsonSchema } from "../dist/src/config/json-schema.js";
import { referencePage } from "../dist/src/config/reference.js";
import { openApiDocument } from "../dist/src/control/openapi.js";
import { ROUTES } from "../dist/src/control/routes.js";
import { troubleshootingPage } from "../dist/src/journal/troubleshooting.js";

/** By its path in docs/. */
const PAGES = {
  "configuration.md": referencePage(),
  "troubleshooting.md": troubleshootingPage(),
  "openapi.json": `${JSON.stringify(openApiDocument(ROUTES, "1"), null, 2)}\n`,
  "lacewing.schema.json": `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
};

for (const [name, text] of Object.entries(PAGES)) {
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
  console.log(`docs/${name}`);
}
