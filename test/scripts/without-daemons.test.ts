import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/setup/without-daemons.mjs", import.meta.url));

describe("installing without starting daemons", () => {
  let folder: string;
  let policy: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lacewing-policy-"));
    policy = join(folder, "policy-rc.d");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (command: string) =>
    spawnSync(process.execPath, [SCRIPT, policy, "sh", "-c", command], { encoding: "utf8" });

  it("forbids every start while the command runs, and no longer", () => {
    const { status, stdout } = run(`"${policy}" xl2tpd start; echo $?`);
    expect([status, stdout]).toEqual([0, "101\n"]);
    expect(existsSync(policy)).toBe(false);
  });

  it("removes the policy and passes the status on when the command fails", () => {
    expect(run("exit 7").status).toBe(7);
    expect(existsSync(policy)).toBe(false);
  });

  it("removes the policy when it is told to end", async () => {
    const child = spawn(process.execPath, [SCRIPT, policy, "sh", "-c", "echo up; exec sleep 60"]);
    await once(child.stdout, "data");
    expect(existsSync(policy)).toBe(true);
    child.kill("SIGTERM");
    const [status] = await once(child, "exit");
    expect(status).toBe(1);
    expect(existsSync(policy)).toBe(false);
  });

  it("leaves somebody else's policy as it is", () => {
    writeFileSync(policy, "#!/bin/sh\nexit 0\n");
    expect(run("true").status).toBe(0);
    expect(readFileSync(policy, "utf8")).toBe("#!/bin/sh\nexit 0\n");
  });

  it("clears away the policy of a run that was killed", async () => {
    const child = spawn(process.execPath, [SCRIPT, policy, "sh", "-c", "echo $$; exec sleep 60"]);
    const [pid] = await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    process.kill(Number(pid));
    expect(existsSync(policy)).toBe(true);
    expect(run("true").status).toBe(0);
    expect(existsSync(policy)).toBe(false);
  });
});
