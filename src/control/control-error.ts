import { LacewingError } from "../base/errors.ts";

/** The control socket could not be opened, or did not answer as it should. */
export class ControlError extends LacewingError {}
