import { LacewingError } from "../base/errors.ts";

/** What an operator asked for cannot be: `code` says in which way, `hint` what would. */
export class OperationError extends LacewingError {
  readonly hint: string | undefined;

  constructor(code: "bad-request" | "bad-config" | "no-such" | "busy", message: string, hint?: string) {
    super(code, message);
    this.hint = hint;
  }
}
