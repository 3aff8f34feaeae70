/** Where an API is spoken: everybody may ask on the socket, and who has the token on the port of 127.0.0.1. */
export interface ApiPlace {
  readonly socket: string;
  readonly port: number;
  readonly token: string;
}

/** An answer that is always the same. */
export interface FixedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
