/** The part of raw-socket 1.8 that we use; the package has no types. */
declare module "raw-socket" {
  interface Socket {
    /** `afterSend` gets the error, if there was one. */
    send(
      buffer: Buffer,
      offset: number,
      length: number,
      address: string,
      afterSend: (error: Error | null, bytes: number) => void,
    ): void;
    pauseRecv(): this;
    on(event: "error", listener: (error: Error) => void): this;
    close(): this;
  }

  interface SocketOptions {
    readonly protocol: number;
    readonly addressFamily: number;
  }

  const raw: {
    createSocket(options: SocketOptions): Socket;
    readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number };
    readonly Protocol: { readonly ICMP: number; readonly ICMPv6: number };
  };
  export default raw;
}
