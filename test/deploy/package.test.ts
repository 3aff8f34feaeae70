/** The Debian package in a booted Debian 12: installed, at work under its unit's sandbox, upgraded, removed and purged. */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replay, transcripts } from "../docs/pages.ts";
import { DebianSystem } from "../support/debian-system.ts";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { ping } from "../support/ping.ts";
import {
  createSite,
  lacConfig,
  lnsConfig,
  PASSWORD,
  ptaConfig,
  type Site,
  secretFiles,
  TUNNEL_SECRET,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const BUILD = fileURLToPath(new URL("../../scripts/package.mjs", import.meta.url));
const UNIT = "lacewing.service";
/** CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF, as /proc shows them. */
const CAPABILITIES = ((1n << 12n) | (1n << 13n) | (1n << 39n)).toString(16).padStart(16, "0");
/** CAP_NET_ADMIN and CAP_SYS_ADMIN. */
const HELPER_CAPABILITIES = ((1n << 12n) | (1n << 21n)).toString(16).padStart(16, "0");

/** What a package is called where its installation is documented. */
function documented(stage: string): string {
  const [name] = /lacewing_\S+\.deb/.exec(transcripts(stage)[0]!.title)!;
  return name;
}

/** The same package as a later version. */
function upgraded(deb: string, folder: string): string {
  const tree = join(folder, "later");
  execFileSync("dpkg-deb", ["-R", deb, tree]);
  const control = join(tree, "DEBIAN/control");
  writeFileSync(control, readFileSync(control, "utf8").replace(/^Version: .*/m, "Version: 99.0.0"));
  const file = join(folder, "later.deb");
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zzstd", "-z1", "-b", tree, file]);
  return file;
}

describe.skipIf(!isRoot)("the Debian package", { timeout: 120_000 }, () => {
  let folder: string;
  let site: Site;
  let lns: GatewayProcess;
  let system: DebianSystem;

  const property = (name: string): string => system.run("systemctl", "show", "--value", "-p", name, UNIT);
  const isActive = (): boolean => system.try("systemctl", "is-active", UNIT).output === "active";
  const log = (): string => system.try("journalctl", "--no-pager", "-o", "cat", "-u", UNIT).output;
  const show = <T>(what: string): T => JSON.parse(system.run("lacewing", "show", what, "--json")) as T;
  /** Carries out what documentation has of a stage, in root's folder. */
  const follow = async (stage: string): Promise<void> => {
    for (const transcript of transcripts(stage)) {
      const run = (command: string) => system.try("bash", "-c", `cd /root; { ${command}; } 2>&1`).output;
      const { is, should } = await replay(transcript, run);
      expect(is, transcript.title).toBe(should);
    }
  };
  const configure = (text: string): void => {
    system.write("etc/lacewing/lacewing.yaml", text, 0o640);
    system.write("etc/lacewing/tunnel.secret", `${TUNNEL_SECRET}\n`, 0o600);
    system.run("chown", "root:lacewing", "/etc/lacewing/lacewing.yaml");
    system.run("chown", "lacewing:", "/etc/lacewing/tunnel.secret");
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lacewing-deb-"));
    site = createSite();
    const users = secretFiles("anna@isp.example");
    [system, lns] = await Promise.all([
      DebianSystem.boot(site.lac),
      GatewayProcess.start(site.lns, lnsConfig(), users),
    ]);
    const deb = execFileSync(process.execPath, [BUILD, folder], { encoding: "utf8" }).trim();
    copyFileSync(deb, join(system.root, "root", documented("debian-install")));
    copyFileSync(upgraded(deb, folder), join(system.root, "root", documented("debian-upgrade")));
  });

  afterAll(async () => {
    await lns?.close();
    await system?.close();
    site?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it("installs, and its service runs with a configuration in which everything is commented out", async () => {
    await follow("debian-install");
    expect(isActive(), log()).toBe(true);
    expect(system.run("systemctl", "is-enabled", UNIT)).toBe("enabled");
    const examples = "/usr/share/doc/lacewing/examples";
    const [schema] = /(?<=\$schema=).*/.exec(system.run("cat", `${examples}/lac.yaml`))!;
    expect(system.run("head", "-c", "1", `${examples}/${schema}`)).toBe("{");
    expect(show<{ sessions: number }>("status")).toMatchObject({ name: "lacewing", sessions: 0 });
  });

  it("runs as a user of its own, with three capabilities", () => {
    const status = system.run("cat", `/proc/${property("MainPID")}/status`);
    const uid = system.run("id", "-u", "lacewing");
    expect(status).toMatch(new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, "m"));
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      expect(status).toMatch(new RegExp(`^${set}:\\s+${CAPABILITIES}$`, "m"));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
  });

  it("has an exposure below 2.5, by systemd's own reckoning, and nothing that systemd warns of", () => {
    system.run("systemd-analyze", "verify", "--man=no", `/lib/systemd/system/${UNIT}`);
    const reckoned = system.run("systemd-analyze", "security", "--threshold=25", "--no-pager", UNIT);
    expect(reckoned).toContain("Overall exposure level");
  });

  it.each(["loop", "xdp"])("carries a subscriber to the LNS, forwarding by %s", async (engine) => {
    configure(`data-plane: { engine: ${engine} }\n${lacConfig()}`);
    system.run("systemctl", "restart", UNIT);
    expect(show<{ engine: string }>("status").engine, log()).toBe(engine);
    const dial = new DialProcess(site.subscriber, {
      user: "anna@isp.example",
      password: PASSWORD,
      device: "each",
    });
    await dial.up();
    await lns.session("anna@isp.example");
    await dial.hangUp();
    await eventually("the session has ended", () => show<unknown[]>("sessions").length === 0);
    expect(log()).not.toMatch(/"level":"(error|fatal)"/);
  });

  it("is configured and looked at as docs/operations.md says", async () => {
    configure(lacConfig());
    await follow("debian-configured");
  });

  it("takes a changed configuration on systemctl reload, and a wrong one changes nothing", () => {
    const before = property("MainPID");
    configure(`${lacConfig()}  other.example: { lns: lns }\n`);
    system.run("systemctl", "reload", UNIT);
    configure(`${lacConfig()}  more.example: { lns: nobody }\n`);
    expect(system.try("systemctl", "reload", UNIT).status).not.toBe(0);
    expect(property("MainPID")).toBe(before);
    expect(isActive()).toBe(true);
    configure(lacConfig());
    system.run("systemctl", "reload", UNIT);
  });

  it("takes a secret that systemd hands over, which its own user cannot read elsewhere", () => {
    const override = `etc/systemd/system/${UNIT}.d`;
    system.write("root/tunnel.secret", `${TUNNEL_SECRET}\n`, 0o600);
    system.write(`${override}/secret.conf`, "[Service]\nLoadCredential=tunnel.secret:/root/tunnel.secret\n");
    configure(lacConfig().replace("secret-file: tunnel.secret", "secret-file: credential:tunnel.secret"));
    const check = "lacewing check -c /etc/lacewing/lacewing.yaml";
    system.run("systemctl", "daemon-reload");
    system.run("systemctl", "restart", UNIT);
    expect(isActive(), log()).toBe(true);
    system.run("systemctl", "reload", UNIT);
    const refused = system.try("sh", "-c", `${check} 2>&1`);
    expect(refused.status).not.toBe(0);
    const [directory] = /\/run\/credentials\/[\w.]+/.exec(refused.output)!;
    system.run("sh", "-c", `CREDENTIALS_DIRECTORY=${directory} ${check}`);
    system.run("sh", "-c", "echo another-secret-of-theirs > /root/tunnel.secret");
    expect(system.run("lacewing", "reload")).toContain("nothing changes");
    system.run("rm", "-r", `/${override}`, "/root/tunnel.secret");
    system.run("systemctl", "daemon-reload");
    configure(lacConfig());
    system.run("systemctl", "restart", UNIT);
  });

  it("makes devices in another network namespace by its helper, which has what it needs and is somebody else", async () => {
    const names = ["lacewing-units.socket", "lacewing-units.service"] as const;
    const [socket, helper] = names;
    expect(system.try("systemctl", "is-enabled", socket).output).toBe("disabled");
    system.run("ip", "netns", "add", "core");
    const users = secretFiles("anna@isp.example")["users.yaml"]!;
    system.write("etc/lacewing/users.yaml", users, 0o600);
    system.run("chown", "lacewing:", "/etc/lacewing/users.yaml");
    configure(ptaConfig({ units: ["name: sub%d", "netns: core"] }));
    system.run("systemctl", "restart", UNIT);
    expect(log()).toContain("systemctl enable --now lacewing-units.socket");
    expect(system.try("lacewing", "check", "-c", "/etc/lacewing/lacewing.yaml").output).toContain(socket);

    system.run("systemctl", "enable", "--now", socket);
    const subscriber = { user: "anna@isp.example", password: PASSWORD, device: "each" } as const;
    const dial = new DialProcess(site.subscriber, subscriber);
    const { peerAddress } = await dial.up();
    expect((await ping(site.subscriber, { to: peerAddress!, count: 1 })).received).toBe(1);
    expect(system.run("ip", "-n", "core", "-o", "link", "show", "up")).toContain("sub0:");
    await dial.hangUp();
    await eventually(
      "the device is gone",
      () => !system.run("ip", "-n", "core", "-o", "link").includes("sub0:"),
    );

    const status = system.run(
      "cat",
      `/proc/${system.run("systemctl", "show", "--value", "-p", "MainPID", helper)}/status`,
    );
    expect(status).toMatch(new RegExp(`^CapBnd:\\s+${HELPER_CAPABILITIES}$`, "m"));
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).not.toMatch(new RegExp(`^Uid:\\s+(0|${system.run("id", "-u", "lacewing")})\\s`, "m"));
    system.run(
      "systemd-analyze",
      "verify",
      "--man=no",
      ...names.map((name) => `/lib/systemd/system/${name}`),
    );
    system.run("systemd-analyze", "security", "--threshold=20", "--no-pager", helper);

    // only where it was told to go; a namespace that is made while it runs is one of those
    system.write(
      `etc/systemd/system/${helper}.d/namespaces.conf`,
      '[Service]\nEnvironment="NAMESPACES=later edge"\n',
    );
    system.run("systemctl", "daemon-reload");
    system.run("systemctl", "restart", helper);
    const refused = new DialProcess(site.subscriber, subscriber);
    await refused.down();
    await refused.hangUp();
    expect(log()).toContain("core is not one of its network namespaces");
    system.run("ip", "netns", "add", "later");
    configure(ptaConfig({ units: ["name: office", "mode: shared", "netns: later"] }));
    system.run("systemctl", "restart", UNIT);
    expect(system.run("ip", "-n", "later", "route", "show", "dev", "office")).toContain("100.64.0.0/20");

    system.run("rm", "-r", `/etc/systemd/system/${helper}.d`, "/etc/lacewing/users.yaml");
    configure(lacConfig());
  });

  it("is killed and started again when it no longer answers systemd's watchdog", async () => {
    const override = `etc/systemd/system/${UNIT}.d`;
    system.write(`${override}/watchdog.conf`, "[Service]\nWatchdogSec=3\nWatchdogSignal=SIGKILL\n");
    system.run("systemctl", "daemon-reload");
    system.run("systemctl", "restart", UNIT);
    const before = property("MainPID");
    const ms = (name: string): number => Number(property(`${name}TimestampMonotonic`)) / 1000;
    await eventually(
      "it has said that it is well, for longer than it may be silent",
      () => ms("Watchdog") - ms("ActiveEnter") > 3500,
    );
    expect(property("MainPID")).toBe(before);
    system.run("sh", "-c", `kill -STOP ${before}`);
    await eventually(
      "another one has taken its place",
      () => isActive() && property("MainPID") !== before && property("MainPID") !== "0",
      { timeoutMs: 60_000 },
    );
    expect(property("NRestarts")).toBe("1");
    system.run("rm", "-r", `/${override}`);
    system.run("systemctl", "daemon-reload");
  });

  it("is upgraded with its configuration kept and its service restarted", async () => {
    // with a secret in it, it must be the service's alone, and stay so
    configure(lacConfig().replace("secret-file: tunnel.secret", `secret: ${TUNNEL_SECRET}`));
    system.run("chown", "lacewing:", "/etc/lacewing/lacewing.yaml");
    system.run("chmod", "600", "/etc/lacewing/lacewing.yaml");
    system.run("systemctl", "restart", UNIT);
    const before = property("MainPID");
    await follow("debian-upgrade");
    expect(system.run("stat", "-c", "%U %a", "/etc/lacewing/lacewing.yaml")).toBe("lacewing 600");
    expect(property("MainPID")).not.toBe(before);
    expect(isActive()).toBe(true);
    expect(system.run("cat", "/etc/lacewing/lacewing.yaml")).toContain("isp.example");
    expect(system.run("systemctl", "is-enabled", "lacewing-units.socket")).toBe("enabled");
    expect(show<unknown[]>("tunnels")).toEqual([]);
  });

  it("leaves its configuration when it is removed, and nothing when it is purged, but what an administrator added", () => {
    system.run("dpkg", "-r", "lacewing");
    expect(isActive()).toBe(false);
    expect(system.run("ls", "/etc/lacewing")).toContain("lacewing.yaml");
    system.run("dpkg", "-P", "lacewing");
    expect(system.run("ls", "/etc/lacewing")).toBe("tunnel.secret");
    expect(
      system.run("find", "/", "-xdev", "-iname", "*lacewing*", "-not", "-path", "/root/*").split("\n"),
    ).toEqual(["/etc/lacewing"]);
    expect(system.try("getent", "passwd", "lacewing").status).not.toBe(0);
    expect(system.try("systemctl", "cat", UNIT).status).not.toBe(0);
  });
});
