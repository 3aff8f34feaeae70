/** What to type first: below the help of the command itself, and in the manual page. */
export const EXAMPLES: readonly (readonly [line: string, what: string])[] = [
  ["lacewing", "what is wrong, if anything, and how much it carries"],
  ["lacewing show sessions --realm isp.example --sort -out", "the subscribers of a realm, the busiest first"],
  ["lacewing show lns --watch", "LNSes, again and again"],
  ["lacewing why alice@isp.example", "what became of a subscriber, and why"],
  ["lacewing capture s12 -w s12.pcapng", "one subscriber's frames on all legs, for Wireshark"],
  ["lacewing test tunnel --lns lns1", "whether an LNS takes calls"],
  ["lacewing reload --plan", "what a changed configuration file would do"],
];

/** Two lines an example: the command, and what it tells. */
export function examplesText(): string {
  const lines = EXAMPLES.map(([line, what]) => `  ${line}\n      ${what}`);
  return `\nWithout a command it shows how the gateway is, as "lacewing show" does.\n\nExamples:\n${lines.join("\n")}`;
}
