import { expect, it } from "vitest";

interface Module {
  readonly folder: string;
  readonly files: readonly string[];
}

const SCRIPT = new URL("../../scripts/package/runtime-modules.mjs", import.meta.url).href;

it("every module in the package comes with its licence", async () => {
  const { runtimeModules } = (await import(SCRIPT)) as { runtimeModules: () => readonly Module[] };
  const modules = runtimeModules();
  expect(modules.length).toBeGreaterThan(5);
  const without = modules.filter(
    ({ files }) => !files.some((file) => /^(licen[cs]e(\.\w+)?|readme\.md)$/i.test(file)),
  );
  expect(without.map(({ folder }) => folder)).toEqual([]);
});
