import raw from "raw-socket";

/** Sends ICMP errors of ours. Main thread only: raw-socket cannot be loaded in a worker. */
export interface IcmpSender {
  /** `message` is the ICMP or ICMPv6 message without an IP header; the system chooses the source address. */
  send(destination: string, message: Uint8Array): void;
  close(): void;
}

/**
 * One raw socket a family, opened when it is first needed. `onError` hears of what could not be sent; it is no
 * reason to stop: an ICMP error is a courtesy, and its receiver learns the MTU from the next one.
 */
export function openIcmpSender(onError: (error: Error) => void): IcmpSender {
  type Socket = ReturnType<typeof raw.createSocket>;
  const sockets = new Map<"IPv4" | "IPv6", Socket>();
  const socketFor = (family: "IPv4" | "IPv6"): Socket => {
    const known = sockets.get(family);
    if (known !== undefined) return known;
    const socket = raw.createSocket({
      addressFamily: raw.AddressFamily[family],
      protocol: family === "IPv4" ? raw.Protocol.ICMP : raw.Protocol.ICMPv6,
    });
    // every ping of the host would come here otherwise
    socket.pauseRecv();
    socket.on("error", onError);
    sockets.set(family, socket);
    return socket;
  };
  return {
    send(destination, message) {
      try {
        // raw-socket keeps the buffer until it has been sent
        const buffer = Buffer.from(message);
        const socket = socketFor(destination.includes(":") ? "IPv6" : "IPv4");
        socket.send(buffer, 0, buffer.length, destination, (error) => {
          if (error !== null) onError(error);
        });
      } catch (error) {
        onError(error as Error);
      }
    },
    close() {
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}
