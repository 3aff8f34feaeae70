/**
 * Carries out our Dockerfile without a container engine: the base images are a debootstrapped Debian, for the first stage
 * with this machine's Node.js, and each RUN is a command in a container of systemd-nspawn.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDockerfile, type Stage, type Step } from "./dockerfile.ts";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const DOCKERFILE = join(CHECKOUT, "deploy/container/Dockerfile");
const DEBIAN = "debian:bookworm-slim";
const NODE = "node:20-bookworm-slim";

type WordsStep = Extract<Step, { words: readonly string[] }>;
type UserStep = Extract<Step, { kind: "user" }>;

/** What is kept of the last stage. */
export interface Image {
  readonly root: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  remove(): void;
}

/** Builds it; takes minutes. Throws with the end of what was said by a step that failed. */
export function buildImage(): Image {
  const scratch = mkdtempSync(join(tmpdir(), "lacewing-image-"));
  const remove = (): void => rmSync(scratch, { recursive: true, force: true });
  try {
    const debian = join(scratch, "debian");
    execFileSync("debootstrap", ["--variant=minbase", "bookworm", debian], { stdio: "ignore" });
    const roots = new Map<string, string>();
    const stages = parseDockerfile(readFileSync(DOCKERFILE, "utf8"));
    for (const stage of stages) {
      const root = join(scratch, `stage-${roots.size}`);
      execFileSync("cp", ["-a", debian, root]);
      if (stage.base === NODE) addNode(root);
      else if (stage.base !== DEBIAN) throw new Error(`nobody knows what ${stage.base} is made of`);
      roots.set(stage.name ?? "", root);
      carryOut(stage, root, roots);
    }
    const last = stages.at(-1)!.steps;
    const words = (kind: WordsStep["kind"]): readonly string[] =>
      last.findLast((step): step is WordsStep => step.kind === kind)?.words ?? [];
    return {
      root: roots.get("")!,
      user: last.findLast((step): step is UserStep => step.kind === "user")?.name ?? "root",
      entrypoint: words("entrypoint"),
      command: words("cmd"),
      healthcheck: words("healthcheck"),
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Node.js with npm and its headers, where its image has them. */
function addNode(root: string): void {
  const prefix = dirname(dirname(process.execPath));
  const put = (from: string, to: string): void =>
    cpSync(join(prefix, from), join(root, "usr/local", to), { recursive: true, verbatimSymlinks: true });
  for (const path of ["bin/node", "include/node", "lib/node_modules/npm"]) put(path, path);
  execFileSync("ln", ["-s", "../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm")]);
}

function carryOut({ steps }: Stage, root: string, roots: ReadonlyMap<string, string>): void {
  let folder = "/";
  for (const step of steps) {
    if (step.kind === "workdir") {
      folder = step.path;
      mkdirSync(join(root, folder), { recursive: true });
    } else if (step.kind === "run") run(root, folder, step.command);
    else if (step.kind === "copy") copy(step, root, folder, roots);
  }
}

function copy(
  { from, source, target }: Extract<Step, { kind: "copy" }>,
  root: string,
  folder: string,
  roots: ReadonlyMap<string, string>,
): void {
  const to = join(root, target.startsWith("/") ? target : join(folder, target));
  if (from !== undefined) {
    execFileSync("cp", ["-a", `${join(roots.get(from)!, source)}/.`, to]);
    return;
  }
  // what is committed, since anything else is nobody else's
  const archive = execFileSync("git", ["archive", "HEAD", source], { cwd: CHECKOUT, maxBuffer: 1 << 28 });
  execFileSync("tar", ["-x", "-C", to], { input: archive });
}

function run(root: string, folder: string, command: string): void {
  if (!existsSync(root)) throw new Error(`${root} is not there`);
  const options = ["--quiet", "--register=no", "--keep-unit", "--console=pipe", "--resolv-conf=copy-host"];
  // behind a proxy with a certificate of its own, whoever builds is told of it
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  if (certificates !== undefined)
    options.push(`--bind-ro=${certificates}`, `--setenv=NODE_EXTRA_CA_CERTS=${certificates}`);
  const words = [...options, `--chdir=${folder}`, "--directory", root, "--as-pid2", "sh", "-c", command];
  const { status, stdout, stderr } = spawnSync("systemd-nspawn", words, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0)
    throw new Error(`RUN ${command} ended with ${status}:\n${`${stdout}${stderr}`.slice(-4000)}`);
}
