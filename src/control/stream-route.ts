/** What is asked of the HTTP API and answered bit by bit, in octets: the server and the OpenAPI document are made from these. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { z } from "zod";
import type { Operations } from "../gateway/operations.ts";

interface StreamContext {
  readonly operations: Operations;
  /** The program's. */
  readonly version: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A GET that is answered with a stream; what its handler works with has been forgotten. */
export interface StreamRoute {
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: undefined;
  /** The media type of the answer. */
  readonly type: string;
  /** What the answer is. */
  readonly answer: string;
  /** Begins to answer; throws before that, when it cannot be done. */
  readonly open: (context: StreamContext, input: { parameters: unknown; query: unknown }) => void;
}

/** A stream as it is written down: the handler knows what its schemas give. */
interface TypedStream<Parameters extends z.ZodObject, Query extends z.ZodObject>
  extends Omit<StreamRoute, "parameters" | "query" | "body" | "open"> {
  readonly parameters: Parameters;
  readonly query: Query;
  readonly open: (
    context: StreamContext,
    input: { readonly parameters: z.output<Parameters>; readonly query: z.output<Query> },
  ) => void;
}

export function streamRoute<Parameters extends z.ZodObject, Query extends z.ZodObject>(
  typed: TypedStream<Parameters, Query>,
): StreamRoute {
  return { ...typed, body: undefined, open: typed.open as StreamRoute["open"] };
}
