import { describe, expect, it } from "vitest";
import { ConfigFolder } from "./config-folder.ts";

function complaints(listener: string, tokenMode = 0o600): string[] {
  const folder = new ConfigFolder();
  folder.write("token", "0123456789abcdef", tokenMode);
  return folder.complaints(`name: gw\ncontrol:\n  listen:\n    - ${listener}\n`);
}

describe("an address of the HTTP API", () => {
  it("is none unless it is configured", () => {
    expect(new ConfigFolder().load("name: gw").control.listen).toEqual([]);
  });

  it.each([
    "{ address: 127.0.0.1, port: 8080, token-file: token }",
    "{ address: '::1', port: 8080, token-file: token }",
    "{ address: 192.0.2.1, port: 8443, token-file: token, tls: { cert: c.pem, key: token } }",
    "{ address: 192.0.2.1, port: 8443, tls: { cert: c.pem, key: token, client-ca: ca.pem } }",
  ])("is taken: %s", (listener) => {
    expect(complaints(listener)).toEqual([]);
  });

  it.each([
    ["{ address: 127.0.0.1, port: 8080 }", "nobody would have to prove who he is"],
    [
      "{ address: 127.0.0.1, port: 8080, tls: { cert: c, key: token } }",
      "nobody would have to prove who he is",
    ],
    ["{ address: 192.0.2.1, port: 8080, token-file: token }", "192.0.2.1 is not the host's own"],
    ["{ address: 0.0.0.0, port: 8080, token-file: token }", "0.0.0.0 is not the host's own"],
    ["{ address: 127.0.0.1, port: 8080, token-file: none }", "none cannot be opened"],
    ["{ address: 127.0.0.1, port: 0, token-file: token }", "a whole number from 1 to 65535"],
    ["{ address: localhost, port: 8080, token-file: token }", "an IPv4 or IPv6 address"],
  ])("is refused: %s", (listener, text) => {
    expect(complaints(listener).join("\n")).toContain(text);
  });

  it("is refused when others can read its token", () => {
    expect(complaints("{ address: 127.0.0.1, port: 80, token-file: token }", 0o644).join()).toContain(
      "token is a secret, but its mode 0644",
    );
  });
});
