import { z } from "zod";

type Camel<Text> = Text extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Text;

/** The value of a block of keys: kebab-case in the file, camelCase (or the name in `Renames`) in the program. */
type Value<Output, Renames> = {
  readonly [Key in keyof Output as Key extends keyof Renames
    ? Renames[Key] & string
    : Camel<Key>]: Output[Key];
};

function camelCase(key: string): string {
  return key.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Of all blocks: what the file calls a key, by what the program calls it. */
const FILE_KEYS = new Map<string, string>();

/** What the file calls a key of a block whose name in the program that is: "mtu" of "mtuBytes". */
export function fileKey(name: string): string {
  return FILE_KEYS.get(name) ?? name;
}

/** Whether some block has such a key in the file. */
export function isFileKey(key: string): boolean {
  for (const known of FILE_KEYS.values()) if (known === key) return true;
  return false;
}

/** One name in the program is one key in the file, in whatever block: else nobody could tell them apart by name. */
function learn(key: string, name: string): string {
  const known = FILE_KEYS.get(name);
  if (known !== undefined && known !== key)
    throw new Error(`${name} is ${known} in one block of the configuration and ${key} in another`);
  FILE_KEYS.set(name, key);
  return name;
}

/**
 * A mapping with exactly the keys of `shape`. `renames` gives the program's name of a key where the camelCase of the
 * file's is not enough, mostly to put the unit into it ("mtu" is `mtuBytes`).
 *
 * By the convention of this folder an issue's message says what is allowed; for unknown keys that is the list of
 * the known ones, separated by commas.
 */
export function block<
  Shape extends z.core.$ZodLooseShape,
  const Renames extends { readonly [Key in keyof Shape]?: string } = Record<never, never>,
>(shape: Shape, renames?: Renames) {
  const given = renames as Readonly<Record<string, string | undefined>> | undefined;
  const names = new Map(Object.keys(shape).map((key) => [key, learn(key, given?.[key] ?? camelCase(key))]));
  const allowed = Object.keys(shape).join(", ");
  return z
    .strictObject(shape, {
      error: (issue) => (issue.code === "unrecognized_keys" ? allowed : `a mapping with the keys ${allowed}`),
    })
    .transform((object) => {
      const value: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(object)) value[names.get(key) ?? key] = item;
      return Object.freeze(value) as Value<z.output<z.ZodObject<Shape, z.core.$strict>>, Renames>;
    });
}
