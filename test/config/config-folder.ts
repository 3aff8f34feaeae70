import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { loadConfig } from "../../src/config/load.ts";

/** A temporary folder of private files, gone when the test is over. */
export class ConfigFolder {
  readonly path = mkdtempSync(join(tmpdir(), "lacewing-config-"));

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true }));
  }

  write(name: string, text: string, mode = 0o600): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  /** The configuration of lacewing.yaml with `text`. */
  load(text: string): Config {
    return loadConfig(this.write("lacewing.yaml", text));
  }

  /** The lines of the ConfigError that `text` gives, without the folder. */
  complaints(text: string): string[] {
    const path = this.write("lacewing.yaml", text);
    try {
      loadConfig(path);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.message.replaceAll(`${this.path}/`, "").split("\n");
    }
    return [];
  }
}
