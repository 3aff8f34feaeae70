import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import { describe, expect, it, vi } from "vitest";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { type RecordedMachine, recording } from "../support/recorded-machine.ts";
import { startPair, World } from "../support/world.ts";

const recorded = vi.hoisted((): RecordedMachine[] => []);

vi.mock("../../src/pppoe/access-concentrator.ts", async (original) => {
  const module = await original<typeof import("../../src/pppoe/access-concentrator.ts")>();
  const methods = [
    "receive",
    "unknownSession",
    "confirm",
    "refuse",
    "heard",
    "established",
    "loginResult",
    "close",
    "ended",
    "drain",
    "timeout",
  ];
  return {
    ...module,
    AccessConcentrator: recording("AccessConcentrator", module.AccessConcentrator, methods, recorded),
  };
});

vi.mock("../../src/l2tp/endpoint.ts", async (original) => {
  const module = await original<typeof import("../../src/l2tp/endpoint.ts")>();
  const methods = [
    "receive",
    "timeout",
    "openTunnel",
    "placeCall",
    "connectCall",
    "acceptCall",
    "closeSession",
    "onTraffic",
    "onOneSidedTraffic",
    "updateSpeeds",
  ];
  return {
    ...module,
    L2tpEndpoint: recording(
      "L2tpEndpoint",
      module.L2tpEndpoint,
      [...methods, "closeTunnel", "shutdown"],
      recorded,
    ),
  };
});

vi.mock("../../src/ppp/server.ts", async (original) => {
  const module = await original<typeof import("../../src/ppp/server.ts")>();
  const methods = [
    "start",
    "receive",
    "timeout",
    "onTraffic",
    "accept",
    "reject",
    "hold",
    "terminate",
    "linkDown",
  ];
  return { ...module, PppServer: recording("PppServer", module.PppServer, methods, recorded) };
});

const REPLAY = fileURLToPath(new URL("../support/replay-machines.mjs", import.meta.url));

describe("the machines of a LAC and of an LNS", () => {
  it("go on in a new process from snapshots taken anywhere in a session's life, as if nothing had happened", async () => {
    const world = new World(11, { latencyMs: 3, loss: 0.1, duplication: 0.1 });
    const directory = mkdtempSync(join(tmpdir(), "lacewing-snapshot-"));
    try {
      // renegotiating, so that the LNS's PPP is made and fed like any other machine
      const lnsYaml = LNS_YAML.replace("role: lac", "role: lac, proxy: renegotiate");
      const { lac, side } = await startPair(world, LAC_YAML, lnsYaml, USERS_YAML);
      const alice = side.subscriber(1, "alice@isp.example", "wonderland");
      const mallory = side.subscriber(2, "alice@isp.example", "guess");
      for (const caller of [alice, mallory]) caller.start();
      expect(await world.until(() => side.online.has(alice) && side.offline.has(mallory), 120_000)).toBe(
        true,
      );
      await world.pass(200_000); // echoes, HELLOs
      alice.hangUp();
      await world.pass(20_000);
      await Promise.race([lac.gateway.stop("test"), world.pass(10_000)]);

      const kinds = recorded.map(({ kind }) => kind);
      expect(new Set(kinds)).toEqual(new Set(["AccessConcentrator", "L2tpEndpoint", "PppServer"]));
      const path = join(directory, "recording");
      writeFileSync(path, serialize(recorded));
      const output = execFileSync(process.execPath, [REPLAY, path], { encoding: "utf8" });
      const result = JSON.parse(output) as { replays: number; inputs: number; differences: string[] };
      expect(result.differences).toEqual([]);
      const inputs = recorded.reduce((sum, machine) => sum + machine.inputs.length, 0);
      expect(result.replays).toBe(inputs);
      expect(inputs).toBeGreaterThan(100);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
