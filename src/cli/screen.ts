import { type Paint, paintFor } from "./paint.ts";
import type { CommandContext } from "./process.ts";

/** Where text is shown. */
export interface Screen {
  /** Columns of the terminal. Undefined, as in a pipe: rows are as long as they are. */
  readonly width: number | undefined;
  readonly paint: Paint;
}

/** Where there is no terminal, sentences are broken as if it had so many columns; what is read by line is not. */
export const USUAL_WIDTH = 100;

export function screenFor({ stdout, env }: Pick<CommandContext, "stdout" | "env">): Screen {
  return { width: stdout.columns, paint: paintFor(stdout, env) };
}
