/** The part of cap 0.2 that we use; the package has no types. */
declare module "cap" {
  class Cap {
    /**
     * Begins to capture. Each packet overwrites `buffer`, of which nobody else keeps a reference: who calls must. Throws
     * libpcap's words. Returns the link type: "ETHERNET".
     */
    open(device: string, filter: string, bufferBytes: number, buffer: Buffer): string;
    on(event: "packet", listener: (bytes: number, truncated: boolean) => void): this;
    close(): void;
  }
  const cap: { readonly Cap: typeof Cap };
  export default cap;
}
