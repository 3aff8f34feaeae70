/** The reporter of `npm run interop`: writes docs/interop.md. What a run left out keeps the result that the page has. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reporter, TestModule } from "vitest/node";
import { SCENARIOS, type ScenarioId } from "./catalogue.ts";
import { listedResults, type Result, renderPage } from "./page.ts";
import { peerVersions } from "./peer-versions.ts";

const PAGE = fileURLToPath(new URL("../../docs/interop.md", import.meta.url));

export default class InteropReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const versions = peerVersions();
    const results = listedResults(existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "", versions);
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        const id = test.name.split(":")[0] as ScenarioId;
        if (state === "passed" || state === "failed") results[id] = state;
      }
    }
    const ids = Object.keys(SCENARIOS) as ScenarioId[];
    const missing = ids.filter((id) => results[id] === undefined);
    if (missing.length > 0) {
      console.log(`docs/interop.md stays as it is: nothing is known of ${missing.join(", ")}`);
      return;
    }
    writeFileSync(PAGE, renderPage(results as Record<ScenarioId, Result>, versions));
    console.log("docs/interop.md is written");
  }
}
