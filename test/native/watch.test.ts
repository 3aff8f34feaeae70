import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { addon } from "../../src/io/native.ts";
import {
  ADDON_PATH,
  addressRecord,
  LOOPBACK_4,
  nativeError,
  openDescriptors,
  udpOptions,
} from "./support.ts";
import { boundPort } from "./udp-support.ts";
import { message, startWorker } from "./worker.ts";

describe("watch", () => {
  const opened: number[] = [];
  afterEach(() => {
    for (const fd of opened.splice(0)) addon.close(fd);
  });

  function openEvent(): number {
    const fd = addon.openEvent();
    opened.push(fd);
    return fd;
  }

  it("calls back for as long as there is something to read", async () => {
    const fd = openEvent();
    let calls = 0;
    await new Promise<void>((resolve) => {
      const watcher = addon.watch(fd, () => {
        calls += 1;
        if (calls < 3) return;
        addon.drain(fd);
        watcher.close();
        resolve();
      });
      addon.signal(fd);
    });
    expect(calls).toBe(3);
  });

  it("never calls back after close, even with something to read", async () => {
    const fd = openEvent();
    let calls = 0;
    const watcher = addon.watch(fd, () => {
      calls += 1;
    });
    addon.signal(fd);
    watcher.close();
    watcher.close();
    for (let i = 0; i < 20; i++) await turn();
    expect(calls).toBe(0);
  });

  it("goes on when the socket has errors to report", async () => {
    const gone = addon.openUdp(udpOptions());
    const port = boundPort(gone);
    addon.close(gone);
    const fd = addon.openUdp(udpOptions());
    opened.push(fd);
    const nowhere = addressRecord({ address: LOOPBACK_4, port });
    const codes: string[] = [];
    await new Promise<void>((resolve) => {
      const watcher = addon.watch(fd, () => {
        for (const error of addon.readErrors(fd)) codes.push(error.code);
        if (codes.length === 3) {
          watcher.close();
          resolve();
        } else {
          addon.sendDatagram(fd, nowhere, Uint8Array.of(1));
        }
      });
      addon.sendDatagram(fd, nowhere, Uint8Array.of(1));
    });
    expect(codes).toEqual(["ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED"]);
  });

  function runScript(code: string) {
    const head = `const addon = require(${JSON.stringify(ADDON_PATH)});`;
    return spawnSync(process.execPath, ["-e", head + code], { encoding: "utf8", timeout: 15_000 });
  }

  it("keeps the process alive until it is closed", () => {
    const { stdout, status } = runScript(`
      const fd = addon.openEvent();
      const watcher = addon.watch(fd, () => { console.log("called"); watcher.close(); });
      setTimeout(() => addon.signal(fd), 20).unref();
      process.on("exit", () => console.log("exit"));
    `);
    expect([stdout, status]).toEqual(["called\nexit\n", 0]);
  });

  it("makes an exception of its callback an uncaught one", () => {
    const { stdout, status } = runScript(`
      const fd = addon.openEvent();
      process.on("uncaughtException", (error) => { console.log(error.message); watcher.close(); });
      const watcher = addon.watch(fd, () => { throw new Error("of the callback"); });
      addon.signal(fd);
    `);
    expect([stdout, status]).toEqual(["of the callback\n", 0]);
  });

  it("does not hinder the process from ending, nor a worker", async () => {
    const { status } = runScript(`
      addon.watch(addon.openEvent(), () => {});
      setImmediate(() => process.exit(3));
    `);
    expect(status).toBe(3);
    const worker = startWorker(`
      addon.watch(addon.openEvent(), () => {});
      addon.watch(addon.openEvent(), () => {}).close();
      parentPort.postMessage("watching");
    `);
    await message(worker);
    const ended = once(worker, "exit");
    await worker.terminate();
    await ended;
  });

  it("leaves nothing open when it cannot begin", () => {
    const before = openDescriptors();
    expect(nativeError(() => addon.watch(99999, () => {}))).toMatchObject({
      code: "EBADF",
      syscall: "epoll_ctl",
    });
    expect(() => addon.watch(0, 1 as unknown as () => void)).toThrow(TypeError);
    expect(openDescriptors()).toBe(before);
  });
});
