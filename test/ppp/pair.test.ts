import { describe, expect, it } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { Pair, type PairOptions } from "./pair.ts";

function run(options: PairOptions, until: number): Pair {
  const pair = new Pair(options);
  pair.start();
  pair.run(until);
  return pair;
}

/** A bad line, differently bad for every seed. */
function badLine(seed: number): PairOptions {
  return {
    seed,
    server: { authentication: seed % 2 === 0 ? ["chap-md5", "pap"] : ["pap"] },
    client: {
      ipv6: seed % 3 === 0,
      ...(seed % 11 === 0 ? { password: new Secret("wrong") } : {}),
    },
    grant: {
      ipv4: { local: "10.0.0.1", remote: "10.0.0.2", dns: ["192.0.2.53"] },
      ...(seed % 3 === 0 ? { ipv6: {} } : {}),
    },
    loss: (seed % 7) * 0.05,
    duplicate: (seed % 5) * 0.05,
    maxDelayMs: [5, 50, 500, 4_000][seed % 4]!,
    healedAtMs: 60_000,
    verdictMs: [0, 100, 2_000][seed % 3]!,
  };
}

describe("a server and a client on a good line", () => {
  it.each([["chap-md5"], ["pap"]] as const)("come up with %s, addresses and name servers", (method) => {
    const pair = run({ seed: 1, server: { authentication: [method] } }, 1_000);
    expect([...pair.serverEnd.up]).toEqual(["ipv4"]);
    expect([...pair.clientEnd.up]).toEqual(["ipv4"]);
    const up = pair.transcript().filter((line) => line.includes("network-up"));
    expect(up.join("\n")).toContain(
      '"localAddress":"10.0.0.2","remoteAddress":"10.0.0.1","dns":["192.0.2.53","192.0.2.54"],"mruBytes":1492',
    );
  });

  it("come up with IPv6 beside IPv4, each with its own interface identifier", () => {
    const pair = run(
      {
        seed: 2,
        client: { ipv6: true },
        grant: { ipv4: { local: "10.0.0.1", remote: "10.0.0.2", dns: [] }, ipv6: {} },
      },
      1_000,
    );
    expect([...pair.serverEnd.up].sort()).toEqual(["ipv4", "ipv6"]);
    expect([...pair.clientEnd.up].sort()).toEqual(["ipv4", "ipv6"]);
  });

  it("stay up with IPv4 when the server refuses IPv6", () => {
    const pair = run({ seed: 3, client: { ipv6: true } }, 200_000);
    expect([...pair.clientEnd.up]).toEqual(["ipv4"]);
    expect(pair.clientEnd.downs).toEqual([]);
  });

  it("come up without authentication when none is demanded", () => {
    const pair = run({ seed: 4, server: { authentication: [] } }, 1_000);
    expect([...pair.clientEnd.up]).toEqual(["ipv4"]);
  });

  it("agree on the method that the client knows", () => {
    const pair = run({ seed: 5, client: { accept: ["pap"] } }, 1_000);
    expect([...pair.clientEnd.up]).toEqual(["ipv4"]);
    expect(pair.transcript().join("\n")).toContain('"method":"pap"');
  });

  it.each([["chap-md5"], ["pap"]] as const)(
    "part when the %s password is wrong; the user is told so",
    (method) => {
      const pair = run(
        { seed: 6, server: { authentication: [method] }, client: { password: new Secret("wrong") } },
        20_000,
      );
      expect(pair.clientEnd.downs).toEqual([
        expect.objectContaining({ kind: "authentication-failed", message: "wrong password" }),
      ]);
      expect(pair.serverEnd.downs).toEqual([expect.objectContaining({ kind: "authentication-failed" })]);
      expect(pair.server.deadline()).toBe(Number.POSITIVE_INFINITY);
      expect(pair.client.deadline()).toBe(Number.POSITIVE_INFINITY);
    },
  );

  it("part when the client hangs up: the server says why", () => {
    const pair = run({ seed: 7 }, 1_000);
    const outputs = pair.client.terminate(1_000, "user request");
    const down = outputs.flatMap((output) =>
      output.kind === "send" ? pair.server.receive(1_000, output.frame) : [],
    );
    expect(down.map((output) => output.kind)).toEqual(["network-down", "send", "down"]);
    expect(down.at(-1)).toMatchObject({ cause: { kind: "peer-terminated", message: "user request" } });
  });

  it("part when nothing comes back any more: three echoes, one interval each", () => {
    const pair = run({ seed: 8 }, 1_000);
    expect(pair.server.receive(1_000, new Uint8Array(0))).toEqual([]);
    let now = pair.server.deadline();
    const log: string[] = [];
    while (now < 1_000_000) {
      for (const output of pair.server.timeout(now))
        log.push(`${Math.round(now / 1_000)} ${output.kind === "down" ? output.cause.kind : output.kind}`);
      now = pair.server.deadline();
    }
    expect(log).toEqual([
      "30 send",
      "60 send",
      "90 send",
      "120 send",
      "120 network-down",
      "120 echo-timeout",
    ]);
  });
});

describe("a server and a client on a line that loses, duplicates and reorders", () => {
  it("end open on both sides or with a reason on both, for 1,000 seeds", () => {
    const outcomes: Record<string, number> = {};
    for (let seed = 1; seed <= 1_000; seed++) {
      const pair = run(badLine(seed), 400_000);
      const where = `seed ${seed}`;
      const open = pair.serverEnd.downs.length === 0;
      expect(pair.serverEnd.downs.length, where).toBeLessThanOrEqual(1);
      expect(pair.clientEnd.downs.length, where).toBe(open ? 0 : 1);
      // With two protocols, one of them may have given up; what is left is the same on both sides
      const common = [...pair.serverEnd.up].filter((protocol) => pair.clientEnd.up.has(protocol));
      expect(common.length > 0, where).toBe(open);
      const outcome = open ? "open" : pair.clientEnd.downs[0]!.kind;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (seed % 11 === 0) expect(open, where).toBe(false);
    }
    // Nearly all that may get in do: the line is bad for a minute, not dead
    expect(outcomes.open, JSON.stringify(outcomes)).toBeGreaterThan(850);
  }, 60_000);

  it("go on the same when restored from a snapshot after every single input", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const whole = run(badLine(seed), 200_000);
      const restored = run({ ...badLine(seed), restore: true }, 200_000);
      expect(restored.transcript(), `seed ${seed}`).toEqual(whole.transcript());
    }
  }, 60_000);
});
