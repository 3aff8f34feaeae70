/**
 * One end of the lab's TCP transfer; the lab runs it inside a namespace.
 *
 *   tcp-transfer serve ADDRESS PORT       takes connections, sends to each as long as it asks for, says "listening"
 *   tcp-transfer fetch ADDRESS PORT MS    asks for MS milliseconds, reads to the end, prints {"octets":…,"ms":…}
 */
import { connect, createServer } from "node:net";

const [verb, address, port, milliseconds] = process.argv.slice(2);

function serve(): void {
  const chunk = Buffer.alloc(64 * 1024, "lacewing");
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (request) => {
      const until = performance.now() + Number(request.toString("latin1"));
      const more = (): void => {
        while (performance.now() < until) {
          if (!socket.write(chunk)) {
            socket.once("drain", more);
            return;
          }
        }
        socket.end();
      };
      more();
    });
  });
  server.listen(Number(port), address, () => console.log("listening"));
}

function fetchOctets(): void {
  const started = performance.now();
  let received = 0;
  const socket = connect(Number(port), address, () => socket.write(String(milliseconds)));
  socket.on("data", (data) => {
    received += data.length;
  });
  socket.on("error", (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  socket.on("close", () => {
    console.log(JSON.stringify({ octets: received, ms: performance.now() - started }));
  });
}

if (verb === "serve") serve();
else fetchOctets();
