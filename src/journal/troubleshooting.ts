import { DIAGNOSES } from "./diagnoses.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { StoryStage } from "./story-view.ts";

/** Where a session stops, in the order in which it gets there. */
const STAGES: readonly (readonly [StoryStage, string])[] = [
  ["discovery", "PPPoE discovery: before there is a session"],
  ["lcp", "LCP"],
  ["authentication", "Authentication"],
  ["selection", "The choice of an LNS"],
  ["tunnel", "The tunnel to an LNS"],
  ["call", "The call to an LNS"],
  ["network", "IP"],
  ["open", "While the session is open"],
  ["ended", "Ends in good order, or on purpose"],
];

const INTRODUCTION = `# Troubleshooting

\`lacewing why SESSION\`, with a session (\`s12\`), a user name, a MAC address or a tunnel, tells what happened: each message
with its time, what the choice of an LNS considered, where it stopped, and what usually causes that. It works for sessions
that have ended and for hosts that never got one, as far as the journal goes back (\`journal.size\` in the configuration).
LCP echoes, and control messages that only acknowledge, are not in it; nor is any password, challenge or response.

This page has what \`why\` knows, by the codes that it shows. It is made from the rules themselves.
`;

/** docs/troubleshooting.md. */
export function troubleshootingPage(): string {
  const sections = STAGES.map(([stage, title]) => {
    const rules = DIAGNOSES.filter((rule) => rule.stage === stage);
    return `## ${title}\n\n${rules.map(entry).join("\n")}`;
  });
  return [INTRODUCTION, ...sections].join("\n");
}

function entry({ code, text, advice }: Diagnosis): string {
  return `### ${code}\n\n${text}\n\n${advice.map((each) => `- ${each}`).join("\n")}\n`;
}
