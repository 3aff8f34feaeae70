/** One thing that can be asked of the HTTP API: the server and the OpenAPI document are made from these. */

import type { z } from "zod";
import type { Operations } from "../gateway/operations.ts";

type Shape = z.ZodType | undefined;
type Parsed<Schema extends Shape> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** What a route's handler works with. */
interface RouteContext {
  readonly operations: Operations;
  /** The program's. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly wallClock: number;
}

/** A route whose kinds of input have been forgotten: what the table holds. */
export interface Route {
  readonly method: "get" | "post";
  /** "/v1/sessions/{id}": a part in braces is a parameter of `parameters`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters: z.ZodObject | undefined;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  /** Undefined: there was nothing of that name. */
  readonly answer: z.ZodType;
  readonly handle: (context: RouteContext, input: RouteInput) => unknown;
}

/** What has been read of a request, each by its schema. */
interface RouteInput {
  readonly parameters: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** A route as it is written down: the handler knows what its schemas give, and its answer fits the answer's schema. */
interface TypedRoute<
  Parameters extends z.ZodObject | undefined,
  Query extends z.ZodObject | undefined,
  Body extends Shape,
  Answer extends z.ZodType,
> {
  readonly method: "get" | "post";
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: Parameters;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Answer;
  /** Undefined: 404. */
  readonly handle: (
    context: RouteContext,
    input: {
      readonly parameters: Parsed<Parameters>;
      readonly query: Parsed<Query>;
      readonly body: Parsed<Body>;
    },
  ) => AnswerOf<Answer> | undefined | Promise<AnswerOf<Answer> | undefined>;
}

/** What JSON is made of, as our views have it: nothing in it is changed. */
type AnswerOf<Answer extends z.ZodType> = DeepReadonly<z.output<Answer>>;

type DeepReadonly<Value> = Value extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
    : Value;

export function route<
  Answer extends z.ZodType,
  Parameters extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends Shape = undefined,
>(typed: TypedRoute<Parameters, Query, Body, Answer>): Route {
  return {
    parameters: undefined,
    query: undefined,
    body: undefined,
    ...typed,
    handle: typed.handle as Route["handle"],
  };
}
