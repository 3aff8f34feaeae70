import { LacewingError } from "../base/errors.ts";

/** A call against the rules of the data plane: a bug of ours, never of what came in from the wire. */
export class DataplaneError extends LacewingError {}
