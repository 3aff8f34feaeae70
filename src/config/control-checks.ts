import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { Secret } from "../base/secret.ts";
import { readNamedFile } from "./named-file.ts";
import { type Raw, rawList, rawMap, rawText } from "./raw.ts";
import { where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** PEM: what an address of the HTTP API proves by that it is ours, and what its clients must prove themselves by. */
export interface Certificates {
  readonly cert: string;
  readonly key: Secret;
  readonly clientCa?: string;
}

/** What was in the files that an address of the HTTP API names. */
export interface ControlFiles {
  readonly token?: Secret;
  readonly certificates?: Certificates;
}

/** 16 to 255 characters without blanks. */
const TOKEN = /^[\x21-\x7e]{16,255}$/;

/**
 * What is in the files of each address, in their order, and what is wrong: the HTTP API is open to nobody who does not
 * prove himself, and in the clear within the host only.
 */
export function readControl(
  config: Raw,
  folder: string,
): { readonly files: readonly ControlFiles[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const files = rawList(rawMap(config.control).listen).map((listener, i) => {
    const path = ["control", "listen", i];
    problems.push(...checkListener(path, rawMap(listener)));
    const read = new FilesOfAddress(path, folder, problems);
    return read.all(rawMap(listener));
  });
  return { files, problems };
}

function checkListener(path: Path, listener: Raw): Problem[] {
  const address = rawText(listener.address);
  const tls = "tls" in listener ? rawMap(listener.tls) : undefined;
  const problems: Problem[] = [];
  if (address !== undefined && tls === undefined && !isLoopback(address))
    problems.push(
      problem(
        [...path, "address"],
        `${address} is not the host's own, so that tokens could be overheard; allowed: 127.0.0.1 or ::1, or any with tls`,
      ),
    );
  if (!("token-file" in listener) && tls?.["client-ca"] === undefined)
    problems.push({
      path,
      at: "value",
      text: `${where(path)}nobody would have to prove who he is; needed: token-file, or tls with client-ca`,
    });
  return problems;
}

/** Reads the files of one address. */
class FilesOfAddress {
  readonly #path: Path;
  readonly #folder: string;
  readonly #problems: Problem[];

  constructor(path: Path, folder: string, problems: Problem[]) {
    this.#path = path;
    this.#folder = folder;
    this.#problems = problems;
  }

  all(listener: Raw): ControlFiles {
    const token = this.#token(rawText(listener["token-file"]));
    const certificates = "tls" in listener ? this.#certificates(rawMap(listener.tls)) : undefined;
    return { ...(token !== undefined && { token }), ...(certificates !== undefined && { certificates }) };
  }

  #token(file: string | undefined): Secret | undefined {
    const at = [...this.#path, "token-file"];
    const text = file === undefined ? undefined : this.#text(at, file, true)?.trim();
    if (text === undefined) return undefined;
    if (TOKEN.test(text)) return new Secret(text);
    const allowed = "allowed: 16 to 255 characters without blanks";
    this.#problems.push(problem(at, `${file} does not have a token as its only line; ${allowed}`));
    return undefined;
  }

  #certificates(tls: Raw): Certificates | undefined {
    const at = [...this.#path, "tls"];
    const names = [tls.cert, tls.key, tls["client-ca"]].map(rawText);
    const [cert, key, clientCa] = ["cert", "key", "client-ca"].map((name, i) =>
      names[i] === undefined ? undefined : this.#text([...at, name], names[i], name === "key"),
    );
    // what is missing has been told
    if (cert === undefined || key === undefined) return undefined;
    if (names[2] !== undefined && clientCa === undefined) return undefined;
    try {
      createSecureContext({ cert, key, ...(clientCa !== undefined && { ca: clientCa }) });
      // it passes over what has none in it, and lets whoever any public authority knows pass for a client
      for (const pem of [cert, clientCa]) if (pem !== undefined) new X509Certificate(pem);
      createPrivateKey(key);
    } catch (error) {
      const text = `${names.filter((name) => name !== undefined).join(", ")} cannot be used: ${(error as Error).message}`;
      this.#problems.push(problem(at, text));
      return undefined;
    }
    return { cert, key: new Secret(key), ...(clientCa !== undefined && { clientCa }) };
  }

  /** What is in a file. */
  #text(at: Path, name: string, isPrivate: boolean): string | undefined {
    const file = readNamedFile(this.#folder, name);
    if (!file.ok) this.#problems.push(problem(at, `${name} ${file.reason}`));
    else if (isPrivate && file.exposed !== undefined)
      this.#problems.push(problem(at, `${name} is a secret, but its ${file.exposed}`));
    else return file.text;
    return undefined;
  }
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^127\./.test(address);
}

function problem(path: Path, text: string): Problem {
  return { path, at: "value", text: `${where(path)}${text}` };
}
