import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The program's version, from the package.json above its source (src/cli) or its build (dist/src/cli). */
export function readVersion(): string {
  for (const above of ["../../package.json", "../../../package.json"]) {
    const path = fileURLToPath(new URL(above, import.meta.url));
    if (existsSync(path)) return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
  }
  throw new Error("no package.json above the program");
}
