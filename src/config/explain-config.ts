/** `lacewing config show`: every value that a configuration has, and where it comes from. */

import { flowText } from "./flow-text.ts";
import { configJsonSchema, isDestination, type JsonSchema } from "./json-schema.ts";
import { loadConfigFile } from "./load.ts";
import { type Raw, rawList, rawMap } from "./raw.ts";
import { formatPath, type Path, type YamlSource } from "./yaml-source.ts";

/** One value of a configuration. */
export interface ExplainedValue {
  /** "l2tp.peers[0].hello-interval". */
  readonly path: string;
  /** As the file has it, or would have it, in one line; never a secret. */
  readonly value: string;
  /** "default", or where it is written: "gw.yaml:12". */
  readonly origin: string;
}

const HIDDEN = "[secret]";

/**
 * Every value of the configuration in the file `path`, in the order of the reference. What has no default and is not
 * written is left out. Throws a ConfigError as loadConfig() does.
 */
export function explainConfig(path: string): readonly ExplainedValue[] {
  const { source } = loadConfigFile(path);
  return inBlock(source, [], configJsonSchema(), rawMap(source.value));
}

function inBlock(
  source: YamlSource,
  path: Path,
  { properties = {} }: JsonSchema,
  block: Raw,
): readonly ExplainedValue[] {
  return Object.entries(properties).flatMap(([key, schema]) =>
    inValue(source, [...path, key], schema, block[key]),
  );
}

function inValue(
  source: YamlSource,
  path: Path,
  schema: JsonSchema,
  value: unknown,
): readonly ExplainedValue[] {
  if (schema.properties !== undefined)
    return value === undefined && schema.default === undefined
      ? []
      : inBlock(source, path, schema, rawMap(value));
  const { items, additionalProperties: named } = schema;
  if (items?.properties !== undefined && value !== undefined)
    return rawList(value).flatMap((item, i) => inBlock(source, [...path, i], items, rawMap(item)));
  if (typeof named === "object" && (named.properties !== undefined || isDestination(named)))
    return Object.entries(rawMap(value)).flatMap(([name, item]) =>
      inValue(source, [...path, name], named, item),
    );
  if (value === undefined)
    return schema.default === undefined
      ? []
      : [{ path: formatPath(path), value: flowText(schema.default), origin: "default" }];
  const { file, place } = source.place({ path, at: "value", text: "" });
  const shown = path.at(-1) === "secret" ? HIDDEN : flowText(value);
  return [{ path: formatPath(path), value: shown, origin: `${file}:${place.line}` }];
}
