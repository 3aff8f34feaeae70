import { LacewingError } from "../base/errors.ts";

/** The control socket could not be opened, or did not answer as it should. */
export class ControlError extends LacewingError {}

/** The gateway understood what it was asked, and said no. */
export class RefusedError extends ControlError {
  /** Whom we asked. */
  readonly socketPath: string;
  /** HTTP's. */
  readonly status: number;

  constructor(socketPath: string, status: number, message: string) {
    super("control-refused", message);
    this.socketPath = socketPath;
    this.status = status;
  }
}
