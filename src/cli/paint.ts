/** How a text is meant: colours say so on a terminal, and nothing does elsewhere. */
export type Tone = "strong" | "faint" | "good" | "warning" | "bad";

export type Paint = (tone: Tone | undefined, text: string) => string;

/** Select Graphic Rendition (ECMA-48 §8.3.117). */
const CODES: Readonly<Record<Tone, string>> = {
  strong: "1",
  faint: "2",
  good: "32",
  warning: "33",
  bad: "31",
};

const plain: Paint = (_, text) => text;

const coloured: Paint = (tone, text) =>
  tone === undefined || text === "" ? text : `\x1b[${CODES[tone]}m${text}\x1b[0m`;

/** Colours only on a terminal that has them, and not where NO_COLOR asks for none (no-color.org). */
export function paintFor(
  { isTTY }: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isAskedFor = (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  return isTTY === true && isAskedFor ? coloured : plain;
}
