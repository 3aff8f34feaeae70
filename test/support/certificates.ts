/** Certificates of a test's own, by openssl(1). */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate that is also its own authority. */
export function makeCertificate(name: string): Pair {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-certificate-"));
  try {
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const files = ["-keyout", "key", "-out", "cert", "-days", "2", "-subj", `/CN=${name}`];
    const made = spawnSync("openssl", [...words, ...files], { cwd: folder });
    if (made.status !== 0) throw new Error(`openssl made no certificate: ${made.stderr}`);
    const read = (file: string): string => readFileSync(join(folder, file), "utf8");
    return { cert: read("cert"), key: read("key") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
