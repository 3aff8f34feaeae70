import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { manualPage } from "../../src/cli/manual.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { temporaryFolder } from "../control/serve.ts";
import { FakeProcess } from "./fakes.ts";

const MANUAL = fileURLToPath(new URL("../../deploy/lacewing.8", import.meta.url));

async function script(shell: string): Promise<string> {
  const process = new FakeProcess();
  expect(await process.run("completion", shell)).toBe(0);
  const path = join(temporaryFolder(), shell);
  writeFileSync(path, process.out);
  return path;
}

describe("the manual page", () => {
  it("in deploy/ is what the command says (npm run docs, or vitest -u)", async () => {
    const program = buildProgram(new FakeProcess().context, () => {});
    await expect(manualPage(program)).toMatchFileSnapshot(MANUAL);
  });

  it.skipIf(spawnSync("groff", ["--version"]).status !== 0)("is one that groff takes without a word", () => {
    const { stdout, stderr, status } = spawnSync("groff", ["-man", "-Tutf8", "-P-cbou", "-ww", MANUAL], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
    for (const word of ["lacewing show", "lacewing test tunnel", "--interface <name>", "EXIT STATUS"])
      expect(stdout).toContain(word);
  });
});

describe("completion for bash", () => {
  /** What is offered for the last word. */
  async function offered(...words: string[]): Promise<string[]> {
    const path = await script("bash");
    const line = ["lacewing", ...words].map((word) => `'${word}'`).join(" ");
    const code = `source ${path}; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _lacewing; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync("bash", ["-c", code], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    return stdout.split("\n").filter((word) => word !== "");
  }

  it("offers commands, what they take, and their options", async () => {
    expect(await offered("")).toEqual(expect.arrayContaining(["run", "show", "why", "test", "completion"]));
    expect(await offered("sh")).toEqual(["show"]);
    expect(await offered("show", "sess")).toEqual(["sessions", "session"]);
    expect(await offered("show", "sessions", "--us")).toEqual(["--user"]);
    expect(await offered("show", "sessions", "--role", "l")).toEqual(["lac", "lts", "lns"]);
    expect(await offered("test", "")).toEqual(expect.arrayContaining(["tunnel"]));
    expect(await offered("test", "tunnel", "--l")).toEqual(["--lns"]);
    expect(await offered("drain", "o")).toEqual(["on", "off"]);
    expect(await offered("show", "tunnels", "--state", "est")).toEqual(["established"]);
    expect(await offered("--socket", "/x", "why", "--j")).toEqual(["--json"]);
  });
});

/** What zsh's own functions do with what they are given, told instead. */
const ZSH_STUBS = `
compadd() { shift; print -rl -- "$@" }
_describe() { print -rl -- "\${(@P)2}" }
_files() { print -r -- "(files)" }
`;

describe("completion for zsh", () => {
  const hasZsh = spawnSync("zsh", ["--version"]).status === 0;

  /** What there is to choose from for the last word, which is empty; zsh itself takes those that fit. */
  async function offered(...before: string[]): Promise<string[]> {
    const line = ["lacewing", ...before, ""].map((word) => `'${word}'`).join(" ");
    const set = `words=(${line}); CURRENT=${before.length + 2}; source ${await script("zsh")}`;
    const { stdout, stderr, status } = spawnSync("zsh", ["-f", "-c", ZSH_STUBS + set], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    return stdout.split("\n").filter((word) => word !== "");
  }

  it.skipIf(!hasZsh)("offers commands, what they take, and their options with what they mean", async () => {
    const all = await offered();
    expect(all).toEqual(expect.arrayContaining(["run", "show", "why", "completion"]));
    expect(all).toContain("--socket:the gateway's control socket");
    expect(await offered("show")).toEqual(expect.arrayContaining(["health", "sessions", "drops"]));
    expect(await offered("show", "sessions")).toContain("--realm:of all users of this realm");
    expect(await offered("show", "--role")).toEqual(["lac", "lts", "lns", "pta"]);
    expect(await offered("--socket")).toEqual(["(files)"]);
    expect(await offered("--socket", "/x", "test")).toContain("tunnel");
    expect(await offered("test", "tunnel")).toContain("--lns:with this LNS, or one of this group");
  });

  it("knows every command", async () => {
    const process = new FakeProcess();
    await process.run("completion", "zsh");
    expect(process.out).toMatch(/^#compdef lacewing\n/);
    for (const word of ["'show'", "'test tunnel'", "'lockout clear'", "--since:that began in the last 15m"])
      expect(process.out).toContain(word);
  });
});
