import type { XdpError } from "../../io/xdp.ts";

/** The verifier's last line, before which it says what it minds. */
const VERIFIER_ENDS = /^processed \d+ insns/;
/** Lines that say no more than that something has failed, or what it is about. */
const EMPTY_WORDS = /failed to load|load failed|-- (BEGIN|END) PROG|^\s*;/;

/** Why the program cannot be loaded, in a line, by what was thrown: the kernel's verifier is told apart from the rest. */
export function loadRefusal(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { log, code } = error as Partial<XdpError>;
  if (log === undefined) return error.message;
  const lines = log.split("\n").map((line) => line.replace(/^libbpf: /, "").trim());
  const end = lines.findIndex((line) => VERIFIER_ENDS.test(line));
  const said = lines
    .slice(0, end < 0 ? lines.length : end)
    .filter((line) => line !== "" && !EMPTY_WORDS.test(line));
  const who = end < 0 ? "the kernel does not take the program" : "the kernel's verifier refuses the program";
  return `${who}: ${[code, said.at(-1)].filter((text) => text !== undefined).join(", ")}`;
}
