import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { addon } from "../../src/io/native.ts";
import { nativeError } from "./support.ts";

/** A service manager: prints what it receives on a Unix datagram socket (which Node does not have). */
const MANAGER = `
  use Socket; $| = 1;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0] =~ s/^@/\\0/r)) or die $!;
  print "ready\\n"; recv($s, my $state, 4096, 0); print $state;
`;

describe("notify", () => {
  afterEach(() => {
    delete process.env.NOTIFY_SOCKET;
  });

  it("says false when no service manager asked", () => {
    expect(addon.notify("READY=1")).toBe(false);
  });

  it.each(["a path", "an abstract name"])("tells the service manager at %s", async (kind) => {
    const directory = mkdtempSync(join(tmpdir(), "lacewing-notify-"));
    const socket = kind === "a path" ? join(directory, "socket") : `@lacewing-notify-${process.pid}`;
    const manager = spawn("perl", ["-e", MANAGER, socket], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    manager.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    while (!output.includes("ready\n")) await once(manager.stdout, "data");
    process.env.NOTIFY_SOCKET = socket;
    expect(addon.notify("READY=1\nSTATUS=up")).toBe(true);
    await once(manager, "close");
    expect(output).toBe("ready\nREADY=1\nSTATUS=up");
    rmSync(directory, { recursive: true });
  });

  it("says which socket it could not reach", () => {
    process.env.NOTIFY_SOCKET = "/nowhere/notify";
    expect(nativeError(() => addon.notify("READY=1"))).toMatchObject({
      code: "ENOENT",
      syscall: "sendto",
      subject: "/nowhere/notify",
    });
    process.env.NOTIFY_SOCKET = "vsock:2:1";
    expect(nativeError(() => addon.notify("READY=1")).code).toBe("EAFNOSUPPORT");
  });
});
