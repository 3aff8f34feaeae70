import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Netns } from "../support/netns.ts";
import { PeerVm } from "../support/peer-vm.ts";

describe.skipIf(process.getuid?.() !== 0)("the VM of real peers", () => {
  let netns: Netns;
  let vm: PeerVm;

  beforeAll(async () => {
    netns = Netns.create("vm");
    vm = await PeerVm.boot({ nics: [{ netns: netns.name, ifname: "cable0" }] });
  });

  afterAll(async () => {
    await vm?.shutdown();
    netns?.delete();
  });

  it("runs commands and tells their status and all their output", async () => {
    const result = await vm.run(["bash", "-c", "echo 'one  two' \"it's\" >&2; exit 7"]);
    expect(result).toEqual({ status: 7, output: "one  two it's\n" });
  });

  it("shares a directory, in which each side sees at once what the other wrote", async () => {
    const path = vm.write("greeting", "hello");
    expect(await vm.mustRun(["cat", path])).toBe("hello");
    writeFileSync(join(vm.share, "greeting"), "goodbye");
    expect(await vm.mustRun(["cat", path])).toBe("goodbye");
  });

  it("runs jobs in the background until they say something, and kills them with all that they started", async () => {
    const job = vm.spawn(["sh", "-c", "sleep 1000 & echo child is $!; wait"]);
    const [, child] = await job.waitFor(/child is (\d+)\n/);
    await job.kill();
    expect(await job.exited).not.toBe(0);
    expect((await vm.run(["kill", "-0", child!])).status).not.toBe(0);
  });

  it("tells the output so far of a job that ends before it says what is waited for", async () => {
    const job = vm.spawn(["echo", "nothing of the kind"]);
    await expect(job.waitFor(/ready/)).rejects.toThrow(/ended with status 0.*nothing of the kind/s);
  });

  it("kills a command that takes too long", async () => {
    await expect(vm.run(["sleep", "1000"], { timeoutMs: 500 })).rejects.toThrow(/sleep 1000 has not ended/);
  });

  it("has an Ethernet device whose other end is in a namespace of ours", async () => {
    netns.configure("cable0", "192.0.2.1/24");
    await vm.mustRun(["ip", "address", "add", "192.0.2.2/24", "dev", "eth0"]);
    expect(await vm.mustRun(["ping", "-c", "1", "-W", "5", "192.0.2.1"])).toContain(" 0% packet loss");
    expect(netns.run("ping", "-c", "1", "-W", "5", "192.0.2.2")).toContain(" 0% packet loss");
  });
});
