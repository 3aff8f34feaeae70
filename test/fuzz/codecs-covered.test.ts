import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CODECS } from "./targets.ts";

const WIRE = new URL("../../src/wire/", import.meta.url);

/** What starts so makes octets or text out of values of ours: nobody else chooses what it gets. */
const WRITERS =
  /^(emit|write|format|describe|fill|hide|add|set|get|delete|nested|attribute|host)|(Tag|Request)$/;

/** Neither writers by their name nor anything that sees octets of others. */
const EXEMPT: Readonly<Record<string, string>> = {
  "bpf.ts etherTypeFilter": "a socket filter of ours",
  "bpf.ts sessionIdProgram": "a socket program of ours",
  "bpf.ts senderProgram": "a socket program of ours",
  "checksum.ts checksumOf": "a number from a number",
  "checksum.ts updateChecksum": "a number from numbers",
  "ethernet.ts ethernetHeaderBytes": "a number from a number",
  "icmp.ts unreachableReason": "two octets of a report of the kernel, looked up in a table",
  "l2tp-message-reader.ts FieldReader": "what parseMessage is made of",
  "l2tp-message-writer.ts MessageWriter": "what emitMessage is made of",
  "pcapng.ts pcapngPacketBytes": "a number from a number",
  "pppoe.ts largestPppFrame": "a number from our own interface and tags",
};

describe("every function of src/wire that gets octets of others", () => {
  it("is fuzzed by a target, or is named here with the reason why not", async () => {
    const covered = new Set(CODECS.flatMap(({ covers }) => covers));
    const uncovered: string[] = [];
    let functions = 0;
    for (const file of readdirSync(WIRE)) {
      const module = (await import(/* @vite-ignore */ new URL(file, WIRE).href)) as Record<string, unknown>;
      for (const [name, value] of Object.entries(module)) {
        if (typeof value !== "function") continue;
        functions += 1;
        if (covered.has(value as (typeof CODECS)[number]["covers"][number])) continue;
        if (!WRITERS.test(name) && EXEMPT[`${file} ${name}`] === undefined) uncovered.push(`${file} ${name}`);
      }
    }
    expect(functions).toBeGreaterThan(100);
    expect(uncovered).toEqual([]);
  });
});
