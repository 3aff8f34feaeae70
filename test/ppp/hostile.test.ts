import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PppClient } from "../../src/ppp/client.ts";
import { PppServer } from "../../src/ppp/server.ts";
import { emitPpp } from "../../src/wire/ppp.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { framesOf } from "./frames.ts";
import { CLIENT, GRANT, SERVER } from "./pair.ts";

const PROTOCOLS = [0xc021, 0xc023, 0xc223, 0x8021, 0x8057, 0x0021, 0x0057, 0x80fd, 0xc025];

/** Something that looks like a control packet: right length most of the time, any code, few identifiers. */
const packet = fc
  .record({
    protocol: fc.constantFrom(...PROTOCOLS),
    code: fc.nat(15),
    identifier: fc.nat(255),
    data: fc.uint8Array({ maxLength: 70 }),
    slip: fc.constantFrom(0, 0, 0, 0, 1, -1, 200),
  })
  .map(({ protocol, code, identifier, data, slip }) => {
    const length = Math.max(0, data.length + 4 + slip) & 0xffff;
    return emitPpp(protocol, Uint8Array.of(code, identifier, length >> 8, length & 0xff, ...data));
  });

const METHODS = [["chap-md5", "pap"], ["ms-chap-v2"], ["pap"], []] as const;
const PROOF = `S=${"0".repeat(40)}`;

const step = fc.oneof(
  packet.map((frame) => ({ kind: "frame" as const, frame })),
  fc.uint8Array({ maxLength: 60 }).map((frame) => ({ kind: "frame" as const, frame })),
  fc.nat(30).map((at) => ({ kind: "reflect" as const, at })),
  fc.constant({ kind: "timeout" as const }),
  fc.constant({ kind: "verdict" as const }),
);

describe("whatever comes in", () => {
  it("throws nothing, is answered with little, and leaves no deadline in the past", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), fc.boolean(), (steps, seed, asServer) => {
        const authentication = METHODS[seed % METHODS.length]!;
        const rechallengeIntervalMs = seed % 2 === 0 ? 0 : 10_000;
        const server = new PppServer(
          { ...SERVER, authentication, rechallengeIntervalMs },
          seededRandom(seed),
        );
        const client = new PppClient(CLIENT, seededRandom(seed));
        const machine = asServer ? server : client;
        let now = 0;
        let attempt = 0;
        let downs = 0;
        const sentFrames: Uint8Array[] = [];
        const take = (outputs: readonly { readonly kind: string }[]): void => {
          expect(outputs.length).toBeLessThan(12);
          sentFrames.push(...framesOf(outputs));
          for (const output of outputs) {
            if ("attempt" in output) attempt = output.attempt as number;
            if (output.kind === "down") downs += 1;
          }
        };
        take(machine.start(now));
        for (const input of steps) {
          now += 1;
          if (input.kind === "frame") take(machine.receive(now, input.frame));
          else if (input.kind === "verdict") take(server.accept(now, attempt, GRANT, PROOF));
          else if (input.kind === "reflect") {
            // Our own frames, with a code that answers them: the nearest thing to a peer that plays along
            const mine = sentFrames[sentFrames.length - 1 - input.at]?.slice();
            if (mine !== undefined && mine.length > 2) mine[2] = mine[2]! + 1;
            if (mine !== undefined) take(machine.receive(now, mine));
          } else {
            now = Math.max(now, Math.min(machine.deadline(), now + 100_000));
            take(machine.timeout(now));
          }
          expect(machine.deadline()).toBeGreaterThan(now - 1);
        }
        expect(downs).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });
});
