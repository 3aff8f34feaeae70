/**
 * `npm run docs`: writes what is generated in docs/ and the manual page anew, from the built program. Tests tell when a page is
 * not what the source says.
 *
 *   --transcripts   also the outputs of commands, in every page: runs the tests that compare them. Needs root, and `npm test`
 *                   to have set everything up
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { manualPage } from "../dist/src/cli/manual.js";
import { buildProgram } from "../dist/src/cli/program.js";
import { configJsonSchema } from "../dist/src/config/json-schema.js";
import { referencePage } from "../dist/src/config/reference.js";
import { openApiDocument } from "../dist/src/control/openapi.js";
import { ROUTES } from "../dist/src/control/routes.js";
import { troubleshootingPage } from "../dist/src/journal/troubleshooting.js";

/** Of the process the command's description needs no more. */
const CONTEXT = { version: "", env: {}, stdout: process.stdout, stderr: process.stderr };

/** By its path. */
const PAGES = {
  "deploy/lacewing.8": manualPage(buildProgram(CONTEXT, () => {})),
  "docs/configuration.md": referencePage(),
  "docs/troubleshooting.md": troubleshootingPage(),
  "docs/openapi.json": `${JSON.stringify(openApiDocument(ROUTES, "1"), null, 2)}\n`,
  "docs/lacewing.schema.json": `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
};

for (const [name, text] of Object.entries(PAGES)) {
  writeFileSync(new URL(`../${name}`, import.meta.url), text);
  console.log(name);
}

/** The tests that run the commands of documentation, and write down what these say where they are told to. */
const TRANSCRIPTS = ["test/docs", "test/deploy/package.test.ts"];

if (process.argv.includes("--transcripts")) {
  const env = { ...process.env, LACEWING_TRANSCRIPTS: "write" };
  const { status } = spawnSync("npx", ["vitest", "run", ...TRANSCRIPTS], { stdio: "inherit", env });
  process.exitCode = status ?? 1;
}
