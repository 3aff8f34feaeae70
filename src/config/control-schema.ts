import { z } from "zod";
import { block } from "./block.ts";
import { filePath, integer, ipAddress } from "./fields.ts";

const tlsSchema = block(
  {
    cert: filePath().describe("The file with our certificate, and those between it and the root."),
    key: filePath().describe("The file with its private key. Nobody but its owner may have access to it."),
    "client-ca": filePath()
      .exactOptional()
      .describe("The file with the certificates that those of clients must come from."),
  },
  { cert: "certFile", key: "keyFile", "client-ca": "clientCaFile" },
);

/** An address that the HTTP API is spoken on, beside the local socket. */
const listenSchema = block({
  address: ipAddress().describe(
    "The local address; without `tls`, one of the host's own (127.0.0.1 or ::1).",
  ),
  port: integer(1, 65_535).describe("The TCP port."),
  "token-file": filePath()
    .exactOptional()
    .describe(
      "The file whose only line is the token that requests must show, 16 to 255 characters. Nobody but its owner may have access to it. Needed unless `tls` has a `client-ca`.",
    ),
  tls: tlsSchema.exactOptional().describe("Speak HTTPS."),
});

export const controlSchema = block({
  socket: filePath()
    .default("/run/lacewing/lacewing.sock")
    .describe(
      "The local socket that `lacewing show` talks to; mode 0660. With another one, set `LACEWING_SOCKET` to its path for the commands, and for the service's `reload`.",
    ),
  listen: z
    .array(listenSchema, { error: "a list of local addresses" })
    .readonly()
    .default([])
    .describe("Addresses that the HTTP API and the page are served on, too; none by default."),
});
