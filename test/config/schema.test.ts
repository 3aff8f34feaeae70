import { describe, expect, it } from "vitest";
import { z } from "zod";
import { configSchema } from "../../src/config/schema.ts";
import { usersSchema } from "../../src/config/users-schema.ts";

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
}

/** Every key of a schema with its description, by path. */
function descriptions(node: Node, path: string): [string, string | undefined][] {
  const below = Object.entries(node.properties ?? {}).flatMap(
    ([key, value]): [string, string | undefined][] => [
      [`${path}${key}`, value.description],
      ...descriptions(value, `${path}${key}.`),
    ],
  );
  if (typeof node.additionalProperties === "object")
    below.push(...descriptions(node.additionalProperties, `${path}*.`));
  if (node.items !== undefined) below.push(...descriptions(node.items, path));
  return below;
}

describe("the schema", () => {
  it("describes every key, so that documentation can be made from it", () => {
    for (const [schema, least] of [
      [configSchema, 60],
      [usersSchema, 5],
    ] as const) {
      const all = descriptions(z.toJSONSchema(schema, { io: "input" }) as Node, "");
      expect(all.length).toBeGreaterThanOrEqual(least);
      expect(all.filter(([, text]) => text === undefined)).toEqual([]);
    }
  });
});
