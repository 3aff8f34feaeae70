import { serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { Pair } from "./pair.ts";

describe("a link that is open", () => {
  it.each([["pap"], ["chap-md5"], ["ms-chap-v2"]] as const)(
    "keeps neither password, challenge nor requests, with %s",
    (method) => {
      const pair = new Pair({ seed: 1, server: { authentication: [method] } });
      pair.start();
      pair.run(1_000);
      expect([...pair.serverEnd.up]).toEqual(["ipv4"]);
      const state = pair.server.snapshot();
      const octets: string[] = [];
      JSON.stringify(state, (_key, value) => {
        if (value instanceof Uint8Array) octets.push(toHex(value));
        return value;
      });
      expect(octets.filter((hex) => hex !== "")).toEqual([]);
      expect(serialize(state).length).toBeLessThan(1_300);
    },
  );
});
