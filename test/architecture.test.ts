import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { importsOf, withoutComments } from "./support/typescript-source.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const MACHINES = ["base", "wire"];
const BELOW_ENGINES = [...MACHINES, "ppp", "pppoe", "l2tp", "channel"];
const BELOW_GATEWAY = [...BELOW_ENGINES, "io", "dataplane", "aaa", "config", "journal"];
const BELOW_CONTROL = [...BELOW_GATEWAY, "gateway", "dial"];

/** What each folder of src/ may import besides itself: the arrows of docs/architecture.md, and no other. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ["base"],
  ppp: MACHINES,
  pppoe: MACHINES,
  l2tp: MACHINES,
  channel: MACHINES,
  journal: MACHINES,
  io: MACHINES,
  dataplane: [...BELOW_ENGINES, "io"],
  aaa: BELOW_ENGINES,
  config: BELOW_ENGINES,
  gateway: BELOW_GATEWAY,
  dial: BELOW_GATEWAY,
  control: BELOW_CONTROL,
  cli: [...BELOW_CONTROL, "control"],
  // outside src/: whoever starts the gateway
  lab: [...BELOW_CONTROL, "control", "cli"],
  bench: [...BELOW_CONTROL, "control", "cli"],
};

/** Folders whose code is a function of its arguments: no clock, timer, randomness, socket or file. */
const SANS_IO = BELOW_ENGINES;
const WITHOUT_CLOCK = [...SANS_IO, "aaa", "config"];
/** The modules of Node that are pure functions, or nearly: hashes and HMACs. */
const PURE_MODULES = ["node:crypto"];

/** Which folders may import a package; the others are for everybody outside the sans-IO folders. */
const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  // context-unaware modules: raw IP on the main thread; cap aborts its process when its interface goes away
  "raw-socket": ["io"],
  cap: ["io"],
};

const MAX_LINES = 500;

interface SourceFile {
  /** From the checkout: "src/wire/ppp.ts". */
  readonly path: string;
  /** The folder that the rules are about: "wire", "lab". */
  readonly layer: string;
  readonly source: string;
}

function readSources(): SourceFile[] {
  return ["src", "lab", "bench"].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => {
        const path = join(top, name);
        const layer = top === "src" ? path.split("/")[1]! : top;
        return { path, layer, source: readFileSync(join(ROOT, path), "utf8") };
      }),
  );
}

/** The layer that a relative import leads to; undefined when it leaves src/, lab/ and bench/. */
function layerOf(from: string, specifier: string): string | undefined {
  const [top, next] = join(dirname(from), specifier).split("/");
  if (top === "src") return next;
  return top === "lab" || top === "bench" ? top : undefined;
}

/** "node:fs" stays; "@scope/name/deep" and "name/deep" become the package's name. */
function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function violation(file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith(".")) {
    const target = layerOf(file.path, specifier);
    if (target === undefined)
      return specifier.endsWith(".node") && file.layer === "io" ? undefined : "leaves src/";
    if (target === file.layer || MAY_IMPORT[file.layer]?.includes(target)) return undefined;
    return `${file.layer} may not import ${target}`;
  }
  const name = packageOf(specifier);
  if (name in PACKAGE_HOMES)
    return PACKAGE_HOMES[name]!.includes(file.layer) ? undefined : `${name} is not for ${file.layer}`;
  if (SANS_IO.includes(file.layer) && !PURE_MODULES.includes(name)) return `${file.layer} is sans-IO`;
  return undefined;
}

const files = readSources();

describe("the source tree", () => {
  it("is there, all layers known", () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap((file) => importsOf(file.source)).length).toBeGreaterThan(files.length / 2);
    expect(files.filter((file) => !(file.layer in MAY_IMPORT)).map((file) => file.path)).toEqual([]);
  });

  it("imports in one direction only", () => {
    const violations = files.flatMap((file) =>
      importsOf(file.source).flatMap((specifier) => {
        const reason = violation(file, specifier);
        return reason === undefined ? [] : [`${file.path} imports ${specifier}: ${reason}`];
      }),
    );
    expect(violations).toEqual([]);
  });

  it("loads the addon's binary in io/ only", () => {
    const loaders = files.filter((file) => /\.node["'`]/.test(withoutComments(file.source, true)));
    expect(loaders.filter((file) => file.layer !== "io").map((file) => file.path)).toEqual([]);
  });

  it("takes time and randomness as arguments below gateway/", () => {
    const forbidden =
      /\b(?:setTimeout|setInterval|setImmediate|Math\.random|Date\.now|new Date\(\)|process\.hrtime|performance\.now|randomBytes|randomInt|randomUUID|randomFillSync|getRandomValues)\b/;
    const offences = files
      .filter((file) => WITHOUT_CLOCK.includes(file.layer))
      .flatMap((file) => {
        const lines = withoutComments(file.source).split("\n");
        return lines.flatMap((line, index) =>
          forbidden.test(line) ? [`${file.path}:${index + 1}: ${line.trim()}`] : [],
        );
      });
    expect(offences).toEqual([]);
  });

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    const long = files.filter((file) => file.source.split("\n").length - 1 > MAX_LINES);
    expect(long.map((file) => file.path)).toEqual([]);
  });
});

describe("the rules themselves", () => {
  const file = (path: string, layer: string): SourceFile => ({ path, layer, source: "" });

  it.each([
    ["src/wire/ppp.ts", "wire", "../ppp/lcp.ts"],
    ["src/ppp/lcp.ts", "ppp", "../l2tp/avp.ts"],
    ["src/l2tp/tunnel.ts", "l2tp", "node:dgram"],
    ["src/io/native.ts", "io", "../gateway/clock.ts"],
    ["src/gateway/lac.ts", "gateway", "cap"],
    ["src/dataplane/loop/engine.ts", "dataplane", "raw-socket"],
    ["src/gateway/lac.ts", "gateway", "../../build/Release/lacewing.node"],
    ["src/cli/main.ts", "cli", "../../test/support/x.ts"],
  ])("%s (%s) may not import %s", (path, layer, specifier) => {
    expect(violation(file(path, layer), specifier)).toBeDefined();
  });

  it.each([
    ["src/wire/ppp.ts", "wire", "../base/bytes.ts"],
    ["src/pppoe/cookie.ts", "pppoe", "node:crypto"],
    ["src/dataplane/loop/worker.ts", "dataplane", "../../io/native.ts"],
    ["src/io/native.ts", "io", "../../build/Release/lacewing.node"],
    ["lab/main.ts", "lab", "../src/cli/main.ts"],
  ])("%s (%s) may import %s", (path, layer, specifier) => {
    expect(violation(file(path, layer), specifier)).toBeUndefined();
  });

  it("reads every form of import and none in comments", () => {
    const source = `
      import type { A } from "./a.ts";
      export { b } from "./b.ts";
      import "./c.ts";
      const d = await import("./d.ts");
      const e = require("./e.node");
      const f = new Worker(new URL("./f.js", import.meta.url));
      // import "./not-1.ts";
      /* import "./not-2.ts"; */
      const quote = /["']/; const slashes = "//"; import {
        g,
      } from "./g.ts";`;
    const names = ["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.node", "./f.js", "./g.ts"];
    expect(importsOf(source)).toEqual(names);
  });

  it("finds words in code and not in comments, strings and templates", () => {
    const blanked = withoutComments(
      'Date.now(); // Date.now 1\nf("Date.now 2", `Date.now 3`); /* Date.now 4 */',
    );
    expect(blanked.match(/Date\.now/g)).toHaveLength(1);
  });
});
