import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { challengeResponse, hideValue, revealValue } from "../../src/wire/l2tp-hiding.ts";

interface Vectors {
  readonly secret: string;
  readonly randomVector: string;
  readonly rows: readonly (readonly [
    name: string,
    type: number,
    value: string,
    padding: string,
    hidden: string,
  ])[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL("../vectors/l2tp-hiding.json", import.meta.url), "utf8"),
);
const secret = utf8(vectors.secret);
const randomVector = fromHex(vectors.randomVector);

describe("hidden values", () => {
  it.each(vectors.rows)("are hidden and revealed: %s", (_, type, value, padding, hidden) => {
    expect(toHex(hideValue(type, fromHex(value), secret, randomVector, fromHex(padding)))).toBe(hidden);
    expect(toHex(revealValue(type, fromHex(hidden), secret, randomVector)!)).toBe(value);
  });

  it("are the same after hiding and revealing", () => {
    const octets = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        octets,
        octets,
        octets,
        octets,
        (type, value, s, rv, pad) => {
          expect(revealValue(type, hideValue(type, value, s, rv, pad), s, rv)).toEqual(value);
        },
      ),
    );
  });

  it("depend on the attribute, the secret and the random vector", () => {
    const hidden = hideValue(30, utf8("bob"), secret, randomVector);
    expect(toHex(hideValue(31, utf8("bob"), secret, randomVector))).not.toBe(toHex(hidden));
    expect(revealValue(30, hidden, utf8("other"), randomVector)).not.toEqual(utf8("bob"));
    expect(revealValue(30, hidden, secret, fromHex("00"))).not.toEqual(utf8("bob"));
  });

  it("are refused when the length within does not fit", () => {
    expect(revealValue(30, new Uint8Array(0), secret, randomVector)).toBeUndefined();
    expect(revealValue(30, Uint8Array.of(1), secret, randomVector)).toBeUndefined();
    const hidden = hideValue(30, utf8("bob"), secret, randomVector);
    expect(revealValue(30, hidden.subarray(0, 4), secret, randomVector)).toBeUndefined();
  });
});

describe("tunnel authentication", () => {
  it("answers as Debian's xl2tpd does", () => {
    const challenge = fromHex("7e1ada586bd57dca628b166f0670f47e");
    expect(toHex(challengeResponse(2, secret, challenge))).toBe("7c2536b896dc85d59e4225d9b8fe8720");
    const reply = fromHex("bb57ae64a0e85459bc40defd89623d21");
    expect(challengeResponse(2, secret, reply)).not.toEqual(challengeResponse(3, secret, reply));
  });
});
