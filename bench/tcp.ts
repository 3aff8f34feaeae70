/**
 * One TCP connection as fast as it goes, a process of its own. It is called with
 *
 *     serve ADDRESS           sends to or takes from whoever connects: the first octet says which
 *     up|down ADDRESS MS      sends to the server, or takes from it, and says when it is over
 *
 * and says by a message that it listens, and what it has measured: TcpAnswer.
 */
import { connect, createServer, type Socket } from "node:net";

export type TcpAnswer =
  | { readonly kind: "ready" }
  /** Octets that the receiver has got, and the time. */
  | { readonly kind: "done"; readonly octets: number; readonly seconds: number };

const PORT = 5001;
const CHUNK = Buffer.alloc(256 * 1024);
const SEND = "s";
const TAKE = "t";
/** What the receiver says when the sender has finished. */
const COUNT_BYTES = 8;

const [role = "", address = "", milliseconds = "0"] = process.argv.slice(2);

function tell(answer: TcpAnswer): void {
  process.send?.(answer);
}

function pour(socket: Socket): void {
  const more = (): void => {
    while (!socket.destroyed && !socket.writableEnded && socket.write(CHUNK));
  };
  socket.on("drain", more);
  more();
}

function serve(socket: Socket): void {
  let received = 0;
  // who measures ends the connection as he likes
  socket.on("error", () => socket.destroy());
  socket.once("data", (first) => {
    if (first.toString("latin1", 0, 1) === SEND) {
      pour(socket);
      return;
    }
    received = first.length - 1;
    socket.on("data", (data) => {
      received += data.length;
    });
    socket.on("end", () => {
      const count = Buffer.alloc(COUNT_BYTES);
      count.writeBigUInt64BE(BigInt(received));
      socket.end(count);
    });
  });
}

function measure(): void {
  const socket = connect({ host: address, port: PORT });
  socket.once("error", (error) => {
    throw error;
  });
  socket.once("connect", () => {
    const started = performance.now();
    const done = (octets: number): void =>
      tell({ kind: "done", octets, seconds: (performance.now() - started) / 1000 });
    if (role === "down") {
      let received = 0;
      socket.write(SEND);
      socket.on("data", (data) => {
        received += data.length;
      });
      setTimeout(() => {
        done(received);
        socket.destroy();
      }, Number(milliseconds));
      return;
    }
    socket.write(TAKE);
    pour(socket);
    socket.once("data", (count) => done(Number(count.readBigUInt64BE())));
    setTimeout(() => socket.end(), Number(milliseconds));
  });
}

if (role === "serve")
  createServer({ allowHalfOpen: true }, serve).listen(PORT, address, () => tell({ kind: "ready" }));
else measure();
process.on("disconnect", () => process.exit());
