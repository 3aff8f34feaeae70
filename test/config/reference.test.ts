import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { DEVICE_KEYS, PLACES_WITH_EFFECT } from "../../src/config/effects.ts";
import { EXAMPLES, USERS_EXAMPLE } from "../../src/config/examples.ts";
import { configJsonSchema, type JsonSchema, usersJsonSchema } from "../../src/config/json-schema.ts";
import { referencePage } from "../../src/config/reference.ts";
import { hasOpenssl, makeCertificate } from "../support/certificates.ts";
import { ConfigFolder } from "./config-folder.ts";

function docs(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}

/** Every key by its place: "l2tp.peers[].dscp". */
function places(node: JsonSchema, place: string): string[] {
  const dot = place === "" ? "" : ".";
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, value]) => [
      `${place}${dot}${key}`,
      ...places(value, `${place}${dot}${key}`),
    ]),
    ...(node.items === undefined ? [] : places(node.items, `${place}[]`)),
    ...(typeof node.additionalProperties === "object" ? places(node.additionalProperties, `${place}.*`) : []),
  ];
}

/** Mappings are joined, lists are appended to. */
function merge(into: Record<string, unknown>, from: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(from)) {
    const known = into[key];
    if (Array.isArray(known) && Array.isArray(value)) known.push(...value);
    else if (typeof known === "object" && known !== null)
      merge(known as Record<string, unknown>, value as Record<string, unknown>);
    else into[key] = value;
  }
}

describe("docs/configuration.md", () => {
  it("is what the schema says (npm run docs)", () => {
    expect(docs("configuration.md")).toBe(referencePage());
  });

  it("has a row for every key of the file and of the users file", () => {
    const page = referencePage();
    const keys = [...places(configJsonSchema(), ""), ...places(usersJsonSchema(), "users")].map((place) =>
      place.replace(/.*\./, ""),
    );
    expect(keys.length).toBeGreaterThan(110);
    expect(
      keys.filter((key) => !page.includes(`| \`${key}\` |`) && !page.includes(`| **\`${key}\`** |`)),
    ).toEqual([]);
  });

  it("says of every key what is allowed, and what a change does", () => {
    const rows = referencePage()
      .split("\n")
      .filter((line) => /^\| \**`/.test(line))
      .map((line) => line.split(/(?<!\\)\|/).map((text) => text.trim()));
    expect(rows.length).toBeGreaterThan(100);
    for (const [, key, allowed, , meaning, change] of rows) {
      expect([key, allowed]).not.toEqual([key, ""]);
      if (!allowed?.startsWith("[")) expect([key, meaning === "" || change === ""]).toEqual([key, false]);
    }
  });

  it("has links that lead somewhere", () => {
    const page = referencePage();
    const titles = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replaceAll(" ", "-")
        .replaceAll(/[^\w-]/g, ""),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !titles.includes(link))).toEqual([]);
  });

  it.skipIf(!hasOpenssl)("has examples that are one configuration together, none of them forgotten", () => {
    const whole: Record<string, unknown> = {};
    for (const text of Object.values(EXAMPLES)) merge(whole, parse(text) as Record<string, unknown>);
    const folder = new ConfigFolder();
    folder.write("users.yaml", USERS_EXAMPLE);
    for (const name of ["lns1", "lns2", "wholesale", "partner"]) folder.write(`${name}.secret`, "between us");
    folder.write("api.token", "between-operators");
    const { cert, key } = makeCertificate("gateway");
    folder.write("api.key", key);
    for (const name of ["api.pem", "operators.pem"]) folder.write(name, cert);
    // JSON is YAML, too
    expect(folder.complaints(JSON.stringify(whole))).toEqual([]);
    const page = referencePage();
    expect(Object.values(EXAMPLES).filter((text) => !page.includes(text))).toEqual([]);
  });
});

describe("docs/lacewing.schema.json", () => {
  it("is what the schema says (npm run docs)", () => {
    expect(JSON.parse(docs("lacewing.schema.json"))).toEqual(configJsonSchema());
  });

  it("gives every value the phrase for what is allowed", () => {
    const without = (node: JsonSchema, place: string): string[] => [
      ...(node.errorMessage === undefined &&
      node.properties === undefined &&
      node.items === undefined &&
      node.additionalProperties === undefined &&
      node.$ref === undefined &&
      node.allOf === undefined
        ? [place]
        : []),
      ...Object.entries(node.properties ?? {}).flatMap(([key, value]) => without(value, `${place}.${key}`)),
      ...(node.items === undefined ? [] : without(node.items, `${place}[]`)),
    ];
    expect(without(configJsonSchema(), "")).toEqual([]);
  });
});

describe("what changes do", () => {
  it("is said of keys that are there", () => {
    const known = places(configJsonSchema(), "");
    expect(PLACES_WITH_EFFECT.filter((place) => !known.includes(place))).toEqual([]);
    expect(DEVICE_KEYS.filter((key) => !known.includes(`units.*.${key}`))).toEqual([]);
  });
});
