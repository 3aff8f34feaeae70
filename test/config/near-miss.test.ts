import { describe, expect, it } from "vitest";
import { nearMiss } from "../../src/config/near-miss.ts";

describe("a near miss", () => {
  it.each([
    ["secert", "secret"],
    ["adress", "address"],
    ["hello_interval", "hello-interval"],
    ["Address", "address"],
    ["helo-intervall", "hello-interval"],
  ])("of %s is %s", (text, meant) => {
    expect(nearMiss(text, ["name", "secret", "secret-file", "address", "hello-interval"])).toBe(meant);
  });

  it("is nothing when nothing is near", () => {
    expect(nearMiss("colour", ["name", "secret", "address"])).toBeUndefined();
    expect(nearMiss("", ["name"])).toBeUndefined();
    expect(nearMiss("name", [])).toBeUndefined();
  });

  it("counts a swap of neighbours as one edit", () => {
    expect(nearMiss("lsn", ["lns"])).toBe("lns");
  });
});
