import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Optional ones are for other machines, and stay out where they do not fit. */
interface Package {
  readonly optional?: boolean;
  readonly engines?: { readonly node?: string };
}

type Version = readonly number[];

const lock = new URL("../../package-lock.json", import.meta.url);
const { packages } = JSON.parse(readFileSync(lock, "utf8")) as { packages: Record<string, Package> };

const ours = packages[""]?.engines?.node ?? "";

/** Its three numbers, and zeros for those that are left out. */
function version(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return [major, minor, patch];
}

function isAtLeast(given: Version, lowest: Version): boolean {
  const differing = given.findIndex((part, index) => part !== lowest[index]);
  return differing < 0 || given[differing]! > lowest[differing]!;
}

/** Of the ranges that npm knows those that are in our lock file: `>=`, `^` and a major version, joined by `||`. */
function accepts(range: string, given: Version): boolean {
  return range.split("||").some((part) => {
    const [, operator, text] = /^(>=|\^|) ?v?(\d[\d.]*)(?:\.x)?$/.exec(part.trim()) ?? [];
    if (text === undefined) return part.trim() === "*";
    const lowest = version(text);
    return isAtLeast(given, lowest) && (operator === ">=" || given[0] === lowest[0]);
  });
}

it("every package that is installed runs on the oldest versions of Node.js that ours names", () => {
  const oldest = ours.split("||").map((part) => version(part.trim().replace(/^(>=|\^)/, "")));
  const unfit = Object.entries(packages).filter(([, { engines, optional }]) =>
    oldest.some((given) => !optional && engines?.node !== undefined && !accepts(engines.node, given)),
  );
  expect(unfit.map(([name, { engines }]) => `${name}: ${engines?.node}`)).toEqual([]);
});
