import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { ask, readResource } from "../../src/control/client.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { GatewayOperations } from "../../src/gateway/gateway-operations.ts";
import type { ReloadView } from "../../src/gateway/operations-views.ts";
import { ConfigFolder } from "../config/config-folder.ts";
import { sampleOperations } from "../control/sample-operations.ts";
import { Node, World } from "../support/world.ts";
import { FakeProcess } from "./fakes.ts";

/** A configuration whose control socket is in its own folder. */
function configuration(): { readonly path: string; readonly socket: string } {
  const folder = new ConfigFolder();
  const socket = `${folder.path}/lacewing.sock`;
  return { path: folder.write("gw.yaml", `name: gw\ncontrol: { socket: ${socket} }\n`), socket };
}

/** One with that log.level, and how to give it another. */
function withLevel(before: string) {
  const { path, socket } = configuration();
  const write = (level: string): void =>
    writeFileSync(path, `name: gw\ncontrol: { socket: ${socket} }\nlog: { level: ${level} }\n`);
  write(before);
  return { path, socket, write };
}

/** Its gateway is a real one, but for what would have to be opened. */
function reloadable(): FakeProcess {
  const process: FakeProcess = new FakeProcess({
    startGateway: async (config, { logger, reading }) => {
      const node = new Node(new World(1), "10.0.0.2", "name: gw");
      const around = { ...node.around, config, logger };
      const operations = new GatewayOperations(new Gateway(around), around, { ...node, reading });
      return { ...process.gateway(), operations };
    },
  });
  return process;
}

const messages = (process: FakeProcess) =>
  process.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).msg);
const ready = (process: FakeProcess) => vi.waitFor(() => expect(process.events).toContain("READY=1"));

describe("run", () => {
  it.each(["SIGTERM", "SIGINT"])(
    "serves until %s, then stops the gateway and ends with code 0",
    async (signal) => {
      const process = new FakeProcess();
      const { path, socket } = configuration();
      const code = process.run("run", "-c", path);
      await ready(process);
      expect((await readResource(socket, "status")).version).toBe("1.2.3");
      process.signals.emit(signal, signal);
      expect(await code).toBe(0);
      expect(process.events).toEqual(["READY=1", "STOPPING=1", `gateway stopped: ${signal}`]);
      expect(messages(process)).toEqual(["starting", "ready", "stopping", "stopped"]);
      expect(existsSync(socket)).toBe(false);
      expect(process.signals.eventNames()).toEqual([]);
    },
  );

  it("serves all the same when who started it cannot be told", async () => {
    const notify = () => Promise.reject(new Error("sendto: EACCES"));
    const process: FakeProcess = new FakeProcess({ notify });
    const code = process.run("run", "-c", configuration().path);
    await vi.waitFor(() => expect(process.out).toContain('"ready"'));
    process.signals.emit("SIGTERM", "SIGTERM");
    expect(await code).toBe(0);
    expect(process.out).toContain("could not be told");
  });

  it("stops when the signal came while it started", async () => {
    const process: FakeProcess = new FakeProcess({
      startGateway: async () => {
        process.signals.emit("SIGTERM", "SIGTERM");
        return process.gateway();
      },
    });
    expect(await process.run("run", "-c", configuration().path)).toBe(0);
    expect(process.events.at(-1)).toBe("gateway stopped: SIGTERM");
  });

  it("ends at once on a second signal", async () => {
    const process: FakeProcess = new FakeProcess({
      startGateway: async () => ({
        ...process.gateway(),
        stop: async () => {
          process.signals.emit("SIGINT", "SIGINT");
        },
      }),
    });
    const code = process.run("run", "-c", configuration().path);
    await ready(process);
    process.signals.emit("SIGTERM", "SIGTERM");
    await code;
    expect(process.events).toContain("exit 1");
  });

  it("ends with 1, and politely, when the gateway cannot go on", async () => {
    const process = new FakeProcess();
    const code = process.run("run", "-c", configuration().path);
    await ready(process);
    process.fail("a forwarding thread has ended");
    expect(await code).toBe(1);
    expect(process.events.at(-1)).toBe("gateway stopped: a forwarding thread has ended");
  });

  it("reloads its configuration on SIGHUP", async () => {
    const process = new FakeProcess();
    const code = process.run("run", "-c", configuration().path);
    await ready(process);
    process.signals.emit("SIGHUP", "SIGHUP");
    expect(process.operations.orders).toEqual([["reload", false]]);
    process.signals.emit("SIGTERM", "SIGTERM");
    expect(await code).toBe(0);
  });

  it.each([
    ["warn", "info"],
    ["info", "warn"],
    ["error", "debug"],
  ])(
    "tells of a reload that changes log.level from %s to %s, and goes on with that",
    async (before, after) => {
      const { path, write } = withLevel(before);
      const process = reloadable();
      const code = process.run("run", "-c", path);
      await ready(process);
      write(after);
      process.signals.emit("SIGHUP", "SIGHUP");
      // it is told at info
      await vi.waitFor(() => expect(process.out).toContain("configuration reloaded"));
      expect(messages(process)).toContain("configuration changed");
      process.signals.emit("SIGTERM", "SIGTERM");
      await code;
      // and so is the end
      expect(messages(process).includes("stopping")).toBe(after !== "warn");
    },
  );

  it("is as talkative as before when what a reload would change is only asked for", async () => {
    const process = reloadable();
    const { path, socket, write } = withLevel("warn");
    const code = process.run("run", "-c", path);
    await ready(process);
    write("info");
    const { changes } = await ask<ReloadView>(socket, { path: "/v1/reload", body: { plan: true } });
    expect(changes).toMatchObject([{ path: "log.level" }]);
    process.signals.emit("SIGTERM", "SIGTERM");
    await code;
    expect(process.out).toBe("");
  });

  it("goes on after SIGHUP when the configuration is wrong by now, with a line in the log", async () => {
    const process: FakeProcess = new FakeProcess({
      startGateway: async (_, { reading }) => ({
        ...process.gateway(),
        operations: sampleOperations({ reload: async () => (await reading.read()) as never }),
      }),
    });
    const { path } = configuration();
    const code = process.run("run", "-c", path);
    await ready(process);
    writeFileSync(path, "nmae: gw");
    process.signals.emit("SIGHUP", "SIGHUP");
    await vi.waitFor(() => expect(process.out).toContain("could not be reloaded"));
    process.signals.emit("SIGTERM", "SIGTERM");
    expect(await code).toBe(0);
    expect(messages(process)).toContain(
      "the configuration could not be reloaded; the gateway goes on as before",
    );
    expect(process.out).toContain("unknown key");
  });

  it("does not reload while it still starts", async () => {
    const process: FakeProcess = new FakeProcess({
      startGateway: async () => {
        process.signals.emit("SIGHUP", "SIGHUP");
        return process.gateway();
      },
    });
    const code = process.run("run", "-c", configuration().path);
    await ready(process);
    process.signals.emit("SIGTERM", "SIGTERM");
    expect(await code).toBe(0);
    expect(messages(process)).toContain("SIGHUP ignored: the gateway is still starting");
  });

  it("starts nothing with a configuration that is wrong", async () => {
    const process = new FakeProcess();
    const path = new ConfigFolder().write("gw.yaml", "name: gw\ndefault: { lns: x }");
    expect(await process.run("run", "-c", path)).toBe(2);
    expect(process.events).toEqual([]);
    expect(process.err).toContain("default.lns");
  });

  it("ends with code 1 when the gateway cannot start", async () => {
    const refusal = Object.assign(new Error("bind 10.0.0.1:1701: EADDRINUSE"), { syscall: "bind" });
    const process = new FakeProcess({ startGateway: () => Promise.reject(refusal) });
    expect(await process.run("run", "-c", configuration().path)).toBe(1);
    expect(process.err).toBe("lacewing: bind 10.0.0.1:1701: EADDRINUSE\n");
    expect(process.signals.eventNames()).toEqual([]);
  });

  it("stops the gateway when its control socket is taken", async () => {
    const { path } = configuration();
    const first = new FakeProcess();
    const second = new FakeProcess();
    const code = first.run("run", "-c", path);
    await ready(first);
    expect(await second.run("run", "-c", path)).toBe(1);
    expect(second.err).toContain("another process listens on it");
    expect(second.events).toEqual(["gateway stopped: no control socket"]);
    first.signals.emit("SIGTERM", "SIGTERM");
    await code;
  });
});
