import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { addon } from "../../src/io/native.ts";
import { nativeError, udpOptions } from "./support.ts";
import { boundPort, sendTo } from "./udp-support.ts";
import { message, startWorker } from "./worker.ts";

const EPOLLIN = 1;

describe("a poller", () => {
  const opened: number[] = [];
  afterEach(() => {
    for (const fd of opened.splice(0)) addon.close(fd);
  });

  it("reports the tokens of what is ready, until it is drained", () => {
    const poller = addon.createPoller();
    const events = [addon.openEvent(), addon.openEvent(), addon.openEvent()];
    opened.push(...events);
    for (const [i, fd] of events.entries()) poller.add(fd, 100 + i);
    const ready = new Int32Array(8);
    expect(poller.wait(0, ready)).toBe(0);
    addon.signal(events[0]!);
    addon.signal(events[2]!);
    expect(poller.wait(-1, ready)).toBe(2);
    expect([...ready.subarray(0, 4)]).toEqual([100, EPOLLIN, 102, EPOLLIN]);
    addon.drain(events[0]!);
    poller.remove(events[2]!);
    expect(poller.wait(0, ready)).toBe(0);
    // one place: the others come with the next wait
    for (const fd of [events[0]!, events[1]!]) addon.signal(fd);
    expect(poller.wait(-1, ready.subarray(0, 2))).toBe(1);
    poller.close();
  });

  it("is woken through an eventfd that it was given and leaves open", () => {
    const wakeFd = addon.openEvent();
    opened.push(wakeFd);
    const poller = addon.createPoller(wakeFd);
    expect(poller.wakeFd).toBe(wakeFd);
    addon.signal(wakeFd);
    expect(poller.wait(-1, new Int32Array(2))).toBe(0);
    poller.close();
    addon.signal(wakeFd);
    expect(nativeError(() => addon.createPoller(99_999)).code).toBe("EBADF");
  });

  it("says nothing of input where it was told to wait for errors only", () => {
    const poller = addon.createPoller();
    const event = addon.openEvent();
    opened.push(event);
    poller.add(event, 1, false);
    addon.signal(event);
    expect(poller.wait(0, new Int32Array(2))).toBe(0);
    poller.close();
  });

  it("refuses an array without room", () => {
    const poller = addon.createPoller();
    expect(() => poller.wait(0, new Int32Array(1))).toThrow(RangeError);
    poller.close();
  });

  it("waits as long as it was told to, not shorter", () => {
    const poller = addon.createPoller();
    for (const timeoutMs of [1, 30.5, 600]) {
      const start = performance.now();
      expect(poller.wait(timeoutMs, new Int32Array(2))).toBe(0);
      expect(performance.now() - start).toBeGreaterThanOrEqual(timeoutMs);
    }
    poller.close();
  });

  it("is woken by another thread, and a wake-up is no pair", async () => {
    const worker = startWorker(`
      const poller = addon.createPoller();
      const ready = new Int32Array(8);
      parentPort.postMessage(poller.wakeFd);
      parentPort.postMessage(poller.wait(-1, ready));
      parentPort.postMessage(poller.wait(0, ready));
      poller.close();
    `);
    const received: number[] = [];
    worker.on("message", (value: number) => {
      received.push(value);
      if (received.length === 1) addon.signal(value);
    });
    await once(worker, "exit");
    expect(received.slice(1)).toEqual([0, 0]);
  });

  it("in a worker that is terminated lets go, although nobody signals it", async () => {
    const worker = startWorker(`
      const poller = addon.createPoller();
      parentPort.postMessage("waiting");
      for (;;) poller.wait(-1, new Int32Array(2));
    `);
    expect(await message(worker)).toBe("waiting");
    expect(await worker.terminate()).toBe(1);
  });

  it("sleeps until it is woken when its owner has given it what wakes it", async () => {
    const wakeFd = addon.openEvent();
    opened.push(wakeFd);
    const worker = startWorker(`
      const { readlinkSync, readFileSync } = require("node:fs");
      const thread = readlinkSync("/proc/thread-self").split("/").at(-1);
      const poller = addon.createPoller(${wakeFd});
      const waits = () => Number(/^voluntary_ctxt_switches:\\s+(\\d+)/m.exec(readFileSync("/proc/self/task/" + thread + "/status", "utf8"))[1]);
      parentPort.postMessage("waiting");
      const before = waits();
      poller.wait(-1, new Int32Array(2));
      const woken = waits() - before;
      poller.wait(600, new Int32Array(2));
      parentPort.postMessage([woken, waits() - before - woken]);
      poller.close();
    `);
    const messages: unknown[] = [];
    worker.on("message", (value: unknown) => messages.push(value));
    await once(worker, "message");
    // longer than a poller of its own would sleep at once
    await new Promise((resolve) => setTimeout(resolve, 600));
    addon.signal(wakeFd);
    await once(worker, "exit");
    expect(messages).toEqual(["waiting", [1, 1]]);
  });

  it("tells a socket with something in its error queue from one with datagrams", () => {
    const poller = addon.createPoller();
    const fd = addon.openUdp(udpOptions());
    opened.push(fd);
    poller.add(fd, 7);
    const ready = new Int32Array(2);
    sendTo(boundPort(fd), Uint8Array.of(1));
    expect(poller.wait(-1, ready)).toBe(1);
    expect([...ready]).toEqual([7, EPOLLIN]);
    poller.close();
  });

  it("refuses wrong descriptors and tokens, and everything once closed", () => {
    const poller = addon.createPoller();
    expect(nativeError(() => poller.add(99999, 1))).toMatchObject({ code: "EBADF", syscall: "epoll_ctl" });
    const event = addon.openEvent();
    opened.push(event);
    for (const token of [-1, 1.5, 2 ** 31]) expect(() => poller.add(event, token)).toThrow(RangeError);
    poller.add(event, 1);
    expect(nativeError(() => poller.add(event, 2)).code).toBe("EEXIST");
    expect(() => poller.wait(0, new Uint8Array(8) as unknown as Int32Array)).toThrow(TypeError);
    poller.close();
    poller.close();
    expect(nativeError(() => poller.wait(0, new Int32Array(2))).code).toBe("EBADF");
  });
});
