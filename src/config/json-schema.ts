import { z } from "zod";
import { configSchema } from "./schema.ts";
import { usersSchema } from "./users-schema.ts";

/** What we use of JSON Schema (draft 7). */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  /** What is allowed, as a phrase. Editors show it for a value that is not. */
  readonly errorMessage?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly $ref?: string;
  readonly allOf?: readonly JsonSchema[];
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

const TITLE = "Configuration of Lacewing";

/** The configuration file as a JSON Schema, for editors and for the reference. */
export function configJsonSchema(): JsonSchema {
  return { ...jsonSchemaOf(configSchema), title: TITLE } as JsonSchema;
}

/** The users file, likewise. */
export function usersJsonSchema(): JsonSchema {
  return jsonSchemaOf(usersSchema);
}

/** Whether a value is a destination, which realms, services, lines and others have. */
export function isDestination({ $ref, allOf }: JsonSchema): boolean {
  return $ref === "#/definitions/destination" || (allOf?.some(isDestination) ?? false);
}

/** `draft-7` is what editors understand. */
function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    // of a value in the program; a file is there to be written to
    override: ({ jsonSchema }) => {
      delete jsonSchema.readOnly;
    },
  }) as JsonSchema;
}
