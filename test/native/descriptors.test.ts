import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PacketOptions, UdpOptions } from "../../src/io/addon.ts";
import { addon } from "../../src/io/native.ts";
import { makeCable, nativeError, openDescriptors, packetOptions, root, udpOptions } from "./support.ts";
import { boundPort } from "./udp-support.ts";
import { message, startWorker } from "./worker.ts";

/** One instruction that no filter may end with (BPF_LD). */
const BAD_PROGRAM = new Uint8Array(8);

/** Of this process: its number may be somebody else's once it is closed. */
function isEvent(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:[eventfd]";
  } catch {
    return false; // closed
  }
}

describe("descriptors", () => {
  it("are closed once, by who opened them", async () => {
    const fd = addon.openEvent();
    const worker = startWorker(
      `
      try { addon.close(workerData); } catch (error) { parentPort.postMessage(error.code); }
    `,
      fd,
    );
    const exited = once(worker, "exit");
    expect(await message(worker)).toBe("EBADF");
    await exited;
    addon.signal(fd);
    addon.close(fd);
    expect(nativeError(() => addon.close(fd))).toMatchObject({ code: "EBADF", syscall: "close" });
    expect(nativeError(() => addon.signal(fd)).code).toBe("EBADF");
  });

  it("can be closed on another thread, which says when it has", async () => {
    const before = openDescriptors();
    const fds = Array.from({ length: 40 }, () => addon.openEvent());
    const done = addon.openEvent();
    let closed = 0;
    await new Promise<void>((resolve) => {
      const watcher = addon.watch(done, () => {
        addon.drain(done);
        closed = fds.filter((fd) => !isEvent(fd)).length;
        if (closed < fds.length) return;
        watcher.close();
        resolve();
      });
      for (const fd of fds) addon.closeAside(fd, done);
    });
    expect(closed).toBe(fds.length);
    expect(nativeError(() => addon.closeAside(fds[0]!, done)).code).toBe("EBADF");
    addon.close(done);
    // a watcher lets go of its descriptor on the next turn
    while (openDescriptors() > before) await new Promise((resolve) => setImmediate(resolve));
  });

  it("do not stay open when a UDP socket cannot be made", () => {
    const taken = addon.openUdp(udpOptions());
    const before = openDescriptors();
    const failing: [Partial<UdpOptions>, string, string][] = [
      [{ port: boundPort(taken) }, "bind", "EADDRINUSE"],
      [{ address: Uint8Array.of(198, 51, 100, 77) }, "bind", "EADDRNOTAVAIL"],
      [{ reusePort: true, reusePortProgram: BAD_PROGRAM }, "setsockopt", "EINVAL"],
    ];
    for (const [changes, syscall, code] of failing) {
      expect(nativeError(() => addon.openUdp(udpOptions(changes)))).toMatchObject({ syscall, code });
      expect(openDescriptors()).toBe(before);
    }
    addon.close(addon.openUdp(udpOptions({ address: Uint8Array.of(198, 51, 100, 77), freeBind: true })));
    addon.close(taken);
    expect(openDescriptors()).toBe(before - 1);
  });

  it("of a worker are closed when it ends or is terminated", async () => {
    const before = openDescriptors();
    for (const end of ["process.exit()", "setInterval(() => {}, 1000)"]) {
      const worker = startWorker(
        `
        const region = addon.createRegion(1 << 24);
        const options = workerData;
        const fds = [addon.openUdp(options), addon.openEvent(), addon.openNetlink({ groups: 1 })];
        const receiver = region.udpReceiver(fds[0], 16, 2048);
        const poller = addon.createPoller();
        poller.add(fds[0], 1);
        addon.watch(fds[2], () => {});
        parentPort.postMessage(require("node:fs").readdirSync("/proc/self/fd").length);
        ${end};
      `,
        udpOptions(),
      );
      const exited = once(worker, "exit");
      expect(await message<number>(worker)).toBeGreaterThanOrEqual(before + 6);
      if (!end.startsWith("process")) await worker.terminate();
      await exited;
      expect(openDescriptors()).toBe(before);
    }
  });

  it("and everything else work in several threads at once", async () => {
    const before = openDescriptors();
    const workers = Array.from({ length: 4 }, () =>
      startWorker(
        `
        for (let i = 0; i < 200; i++) {
          const region = addon.createRegion(1 << 20);
          const fd = addon.openUdp(workerData);
          const receiver = region.udpReceiver(fd, 8, 2048);
          receiver.receive(new Int32Array(32), 8);
          receiver.close();
          addon.close(fd);
          const poller = addon.createPoller();
          addon.signal(poller.wakeFd);
          poller.wait(-1, new Int32Array(2));
          poller.close();
        }
      `,
        udpOptions(),
      ),
    );
    await Promise.all(workers.map((worker) => once(worker, "exit")));
    expect(openDescriptors()).toBe(before);
  });

  describe.skipIf(!root)("of packet sockets", () => {
    let cable: ReturnType<typeof makeCable>;
    beforeAll(() => {
      cable = makeCable("fd");
    });
    afterAll(() => cable.remove());

    it("do not stay open when one cannot be made", () => {
      const before = openDescriptors();
      const failing: [Partial<PacketOptions>, string, string][] = [
        [{ ifindex: 0x7ffffff0 }, "bind", "ENODEV"],
        [{ filter: BAD_PROGRAM }, "setsockopt", "EINVAL"],
        [{ fanout: { group: 1, mode: 200 } }, "setsockopt", "EINVAL"],
      ];
      for (const [changes, syscall, code] of failing) {
        const error = nativeError(() => addon.openPacket(packetOptions(cable.a, changes)));
        expect(error).toMatchObject({ syscall, code, subject: cable.a });
        expect(openDescriptors()).toBe(before);
      }
    });

    it("let the interface go when a worker that had its ring mapped is terminated", async () => {
      const before = openDescriptors();
      const worker = startWorker(
        `
        const region = addon.createRegion(1 << 24);
        const receiver = region.packetReceiver(addon.openPacket(workerData), workerData);
        parentPort.postMessage("mapped");
        for (;;) receiver.receive(new Int32Array(64), 16);
      `,
        packetOptions(cable.b),
      );
      await message(worker);
      await worker.terminate();
      expect(openDescriptors()).toBe(before);
    });
  });
});
