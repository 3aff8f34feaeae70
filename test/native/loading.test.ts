import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LacewingError } from "../../src/base/errors.ts";
import { addon, loadAddon, packageDirectory } from "../../src/io/native.ts";

const PACKAGE = join(import.meta.dirname, "../..");

describe("loading the addon", () => {
  it("finds the package from the source and from what was compiled", () => {
    for (const io of ["src/io", "dist/src/io"]) {
      const found = packageDirectory(join(PACKAGE, io));
      expect(existsSync(join(found, "native", "addon.cc"))).toBe(true);
      expect(loadAddon(found)).toBe(addon);
    }
  });

  it("says what to run when it was not built", () => {
    let thrown: unknown;
    try {
      loadAddon(tmpdir());
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(LacewingError);
    expect(thrown).toMatchObject({
      code: "addon-missing",
      message: expect.stringContaining("npm run build"),
    });
  });
});
