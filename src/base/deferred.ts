/** A promise, and how to fulfil it. */
export interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** Made when somebody begins to wait: a promise that nobody asks for takes two hundred octets all the same. */
export function deferred(): Deferred {
  let resolve = (): void => {};
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve };
}
