import { describe, expect, it } from "vitest";
import { hasOpenssl, makeCertificate } from "../support/certificates.ts";
import { ConfigFolder } from "./config-folder.ts";

const NONE = { cert: "", key: "" };
const [PAIR, OTHER] = [0, 1].map(() => (hasOpenssl ? makeCertificate("gw") : NONE)) as [
  typeof NONE,
  typeof NONE,
];

function complaints(listener: string, tokenMode = 0o600): string[] {
  const folder = new ConfigFolder();
  folder.write("token", "0123456789abcdef", tokenMode);
  folder.write("short", "0123456789", 0o600);
  folder.write("c.pem", PAIR.cert, 0o644);
  folder.write("key.pem", PAIR.key, 0o600);
  folder.write("other.pem", OTHER.key, 0o600);
  folder.write("empty.pem", "", 0o600);
  folder.write("words.pem", "no certificate\n", 0o644);
  return folder.complaints(`name: gw\ncontrol:\n  listen:\n    - ${listener}\n`);
}

describe("an address of the HTTP API", () => {
  it("is none unless it is configured", () => {
    expect(new ConfigFolder().load("name: gw").control.listen).toEqual([]);
  });

  it.each([
    "{ address: 127.0.0.1, port: 8080, token-file: token }",
    "{ address: '::1', port: 8080, token-file: token }",
  ])("is taken: %s", (listener) => {
    expect(complaints(listener)).toEqual([]);
  });

  it.each([
    ["{ address: 127.0.0.1, port: 8080 }", "nobody would have to prove who he is"],
    ["{ address: 192.0.2.1, port: 8080, token-file: token }", "192.0.2.1 is not the host's own"],
    ["{ address: 0.0.0.0, port: 8080, token-file: token }", "0.0.0.0 is not the host's own"],
    ["{ address: 127.0.0.1, port: 8080, token-file: none }", "none cannot be opened"],
    [
      "{ address: 127.0.0.1, port: 8080, token-file: short }",
      "control.listen[0].token-file: short does not have a token as its only line; allowed: 16 to 255 characters without blanks",
    ],
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

  it("knows its token, and shows it to nobody", () => {
    const folder = new ConfigFolder();
    folder.write("token", "0123456789abcdef\n", 0o600);
    const { control } = folder.load(
      "name: gw\ncontrol: { listen: [{ address: 127.0.0.1, port: 80, token-file: token }] }",
    );
    expect(Buffer.from(control.listen[0]!.token!.octets()).toString()).toBe("0123456789abcdef");
    expect(JSON.stringify(control)).not.toContain("0123456789abcdef");
  });
});

describe.skipIf(!hasOpenssl)("an address of the HTTP API with certificates", () => {
  it.each([
    "{ address: 192.0.2.1, port: 8443, token-file: token, tls: { cert: c.pem, key: key.pem } }",
    "{ address: 192.0.2.1, port: 8443, tls: { cert: c.pem, key: key.pem, client-ca: c.pem } }",
  ])("is taken: %s", (listener) => {
    expect(complaints(listener)).toEqual([]);
  });

  it.each([
    ["{ cert: c.pem, key: key.pem }", "nobody would have to prove who he is"],
    ["{ cert: none.pem, key: key.pem, client-ca: c.pem }", "tls.cert: none.pem cannot be opened"],
    ["{ cert: c.pem, key: key.pem, client-ca: none.pem }", "tls.client-ca: none.pem cannot be opened"],
    ["{ cert: c.pem, key: c.pem, client-ca: c.pem }", "tls.key: c.pem is a secret, but its mode"],
    ["{ cert: c.pem, key: other.pem, client-ca: c.pem }", "key values mismatch"],
    ["{ cert: key.pem, key: key.pem, client-ca: c.pem }", "tls: key.pem, key.pem, c.pem cannot be used"],
    ["{ cert: c.pem, key: key.pem, client-ca: empty.pem }", "tls: c.pem, key.pem, empty.pem cannot be used"],
    ["{ cert: c.pem, key: key.pem, client-ca: words.pem }", "tls: c.pem, key.pem, words.pem cannot be used"],
    ["{ cert: empty.pem, key: key.pem, client-ca: c.pem }", "tls: empty.pem, key.pem, c.pem cannot be used"],
    ["{ cert: c.pem, key: empty.pem, client-ca: c.pem }", "tls: c.pem, empty.pem, c.pem cannot be used"],
  ])("is refused: %s", (tls, text) => {
    expect(complaints(`{ address: 127.0.0.1, port: 8443, tls: ${tls} }`).join("\n")).toContain(text);
  });
});
