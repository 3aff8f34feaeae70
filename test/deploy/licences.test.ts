import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

interface Module {
  readonly folder: string;
  readonly files: readonly string[];
}

const PAGE = fileURLToPath(new URL("../../web/src", import.meta.url));
const SCRIPT = new URL("../../scripts/package/runtime-modules.mjs", import.meta.url).href;

it("every module in the package comes with its licence", async () => {
  const { runtimeModules } = (await import(SCRIPT)) as { runtimeModules: () => readonly Module[] };
  const modules = runtimeModules();
  expect(modules.length).toBeGreaterThan(5);
  const without = modules.filter(
    ({ files }) => !files.some((file) => /^(licen[cs]e(\.\w+)?|readme\.md)$/i.test(file)),
  );
  expect(without.map(({ folder }) => folder)).toEqual([]);
  expect(modules.map(({ folder }) => folder)).toEqual(expect.arrayContaining(modulesOfPage()));
});

/** What the page's script is bundled with. */
function modulesOfPage(): string[] {
  const sources = readdirSync(PAGE, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.tsx?$/.test(file),
  );
  const imports = sources.flatMap((file) => [
    ...readFileSync(join(PAGE, file), "utf8").matchAll(/from "((?:@[^/"]+\/)?[^./"][^/"]*)/g),
  ]);
  const names = new Set(imports.map(([, name]) => `node_modules/${name}`));
  expect(names.size).toBeGreaterThan(1);
  return [...names];
}
