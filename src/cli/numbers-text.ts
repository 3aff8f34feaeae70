import { displayWidth } from "./display-width.ts";

/** With three significant digits: "999", "1.23k", "45.6M". */
export function quantity(amount: number): string {
  let value = amount;
  let unit = "";
  for (const next of ["k", "M", "G", "T", "P"]) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return unit === "" ? String(Math.round(value)) : `${value.toPrecision(3)}${unit}`;
}

/** Lines of at most `width` columns, broken at blanks; each begins with `indent`. */
export function wrapped(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent.length + displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return `${lines.map((each) => `${indent}${each}`).join("\n")}\n`;
}
