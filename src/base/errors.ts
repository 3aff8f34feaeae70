/**
 * The root of what we throw: for our own bugs, for configurations that cannot work and for what the system
 * refused. What arrives on the wire never throws. `code` is stable and fit for a machine to match on.
 */
export class LacewingError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
