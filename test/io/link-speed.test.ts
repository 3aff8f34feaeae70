import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { linkSpeed } from "../../src/io/link-speed.ts";

it.each([
  ["10000\n", 10_000_000_000],
  ["100\n", 100_000_000],
  ["-1\n", undefined],
  ["4294967295\n", undefined],
  ["0\n", undefined],
  ["fast\n", undefined],
])("a link's speed of %j is %j bit/s", (text, speed) => {
  const links = mkdtempSync(join(tmpdir(), "lacewing-links-"));
  try {
    mkdirSync(join(links, "acc0"));
    writeFileSync(join(links, "acc0", "speed"), text);
    expect(linkSpeed("acc0", links)).toBe(speed);
    expect(linkSpeed("acc1", links)).toBeUndefined();
  } finally {
    rmSync(links, { recursive: true });
  }
});
