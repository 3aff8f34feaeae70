/** docs/interop.md: made of the catalogue and of what a run of all its scenarios came to. */

import { type PeerProgram, SCENARIOS, type Scenario, type ScenarioId } from "./catalogue.ts";

export type Result = "passed" | "failed";

const HEADINGS = ["scenario", "version", "it is", "Lacewing is", "what was exercised", "result"];

const PEERS: Readonly<Record<PeerProgram, string>> = {
  pppd: "Debian's pppd with the kernel's PPPoE, in a VM with Debian's kernel",
  "pppoe-server": "Debian's pppoe-server with pppd, in that VM",
  xl2tpd: "Debian's xl2tpd with pppd, in that VM",
  l2tpns: "Debian's l2tpns, in a network namespace",
};

const INTRODUCTION = `# Interoperation

Made by \`npm run interop\`, which runs all of this against other people's programs and writes this page from the results.
Every row is a test in \`test/interop\`; a test in \`npm test\` fails when a scenario there is missing here.
\`npm run interop -- -t xl2tpd-lns\` runs some of them and renews their rows.
`;

/** Every scenario, in the order of the catalogue. */
export function renderPage(
  results: Readonly<Record<ScenarioId, Result>>,
  versions: Readonly<Record<PeerProgram, string>>,
): string {
  const sections = (Object.keys(PEERS) as PeerProgram[]).map((peer) => {
    const rows = entries().filter(([, scenario]) => scenario.peer === peer);
    const lines = rows.map(([id, { role, ours, exercised }]) =>
      row([id, versions[peer], role, ours, exercised, results[id]]),
    );
    return `## ${peer}\n\n${PEERS[peer]}.\n\n${row(HEADINGS)}\n${row(HEADINGS.map(() => "---"))}\n${lines.join("\n")}\n`;
  });
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

/** What a page says of each scenario, by its id: roles and what was exercised, without version and result. */
export function listedScenarios(page: string): Record<string, string> {
  return Object.fromEntries(rowsOf(page).map(([id, , ...rest]) => [id, rest.slice(0, 3).join(" | ")]));
}

/** The results of a page, by id, as far as they are of these versions. */
export function listedResults(
  page: string,
  versions: Readonly<Record<PeerProgram, string>>,
): Partial<Record<ScenarioId, Result>> {
  const current = rowsOf(page).filter(
    ([id, version]) => version === versions[SCENARIOS[id as ScenarioId]?.peer],
  );
  return Object.fromEntries(current.map((cells) => [cells[0], cells.at(-1)]));
}

function rowsOf(page: string): [string, ...string[]][] {
  return page.split("\n").flatMap((line): [string, ...string[]][] => {
    const match = /^\| ([a-z][a-z0-9-]*) \| (.*) \|$/.exec(line);
    return match === null || match[1] === HEADINGS[0] ? [] : [[match[1]!, ...match[2]!.split(" | ")]];
  });
}

/** The same of the catalogue. */
export function catalogueScenarios(): Record<string, string> {
  return Object.fromEntries(
    entries().map(([id, { role, ours, exercised }]) => [id, `${role} | ${ours} | ${exercised}`]),
  );
}

function entries(): [ScenarioId, Scenario][] {
  return Object.entries(SCENARIOS) as [ScenarioId, Scenario][];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
