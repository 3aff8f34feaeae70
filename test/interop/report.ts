/** The reporter of `npm run interop`: writes docs/interop.md when every scenario of the catalogue has run. */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reporter, TestModule } from "vitest/node";
import { SCENARIOS, type ScenarioId } from "./catalogue.ts";
import { type Result, renderPage } from "./page.ts";
import { peerVersions } from "./peer-versions.ts";

const PAGE = fileURLToPath(new URL("../../docs/interop.md", import.meta.url));

export default class InteropReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const results = new Map<string, Result>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== "pending") results.set(test.name.split(":")[0]!, state);
      }
    }
    const ids = Object.keys(SCENARIOS) as ScenarioId[];
    const missing = ids.filter((id) => (results.get(id) ?? "skipped") === "skipped");
    if (missing.length > 0) {
      console.log(`docs/interop.md stays as it is: ${missing.length} of ${ids.length} scenarios did not run`);
      return;
    }
    const all = Object.fromEntries(results) as Record<ScenarioId, Result>;
    writeFileSync(PAGE, renderPage(all, peerVersions()));
    console.log("docs/interop.md is written");
  }
}
