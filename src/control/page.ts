/** The gateway's page: its files, as scripts/build-web.mjs has built them, from memory. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Page } from "./app.ts";

/** Beside the compiled sources; nothing is there when they run uncompiled, or the page has not been built. */
const BUILT = join(dirname(fileURLToPath(import.meta.url)), "../../web/");

/** It is "/". */
const FIRST = "index.html";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Nothing from anywhere else, nothing inside the page itself, and inside nobody else's page. */
const SECURITY: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/** Names of assets carry a hash of what is in them. */
const FOR_EVER = "public, max-age=31536000, immutable";
const ASK_AGAIN = "no-cache";

interface PageFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly tag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
}

/** Undefined when the page has not been built. Only what is in `folder` now is ever served: paths are looked up, not opened. */
export function loadPage(folder = BUILT): Page | undefined {
  if (!existsSync(join(folder, FIRST))) return undefined;
  const files = readFiles(folder);
  return {
    serve: (path, request) => {
      const file = files.get(path);
      return file === undefined ? undefined : answer(file, request);
    },
  };
}

function readFiles(folder: string): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const plain = Uint8Array.from(readFileSync(join(folder, name)));
    const isAsset = name.startsWith(`assets${sep}`);
    const tag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
    const headers = {
      ...SECURITY,
      "Content-Type": type,
      "Cache-Control": isAsset ? FOR_EVER : ASK_AGAIN,
      ETag: tag,
      Vary: "Accept-Encoding",
    };
    files.set(name === FIRST ? "/" : `/${name.replaceAll(sep, "/")}`, {
      headers,
      tag,
      plain,
      gzipped: Uint8Array.from(gzipSync(plain, { level: 9 })),
    });
  }
  return files;
}

function answer({ headers, tag, plain, gzipped }: PageFile, request: Request): Response {
  if (request.headers.get("if-none-match") === tag) return new Response(null, { status: 304, headers });
  const takesGzip = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  return takesGzip
    ? new Response(gzipped, { headers: { ...headers, "Content-Encoding": "gzip" } })
    : new Response(plain, { headers });
}
