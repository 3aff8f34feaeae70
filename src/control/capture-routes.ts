/** Captures, as the HTTP API has them. */

import { z } from "zod";
import { CAPTURE_BOUNDS, CAPTURE_DEFAULTS, CAPTURE_LEGS } from "../gateway/capture-request.ts";
import type { CaptureView } from "../gateway/operations-views.ts";
import { askerOf, ResponseSink } from "./capture-stream.ts";
import { type Route, route } from "./route.ts";
import { type StreamRoute, streamRoute } from "./stream-route.ts";
import { sessionId } from "./view-schemas.ts";

const captureId = z
  .string()
  .regex(/^c\d{1,15}$/)
  .describe("The capture's id: c3.");

function bounded(name: keyof typeof CAPTURE_BOUNDS) {
  const { least, most } = CAPTURE_BOUNDS[name];
  return z.coerce.number().int().min(least).max(most);
}

const captureQuery = z.strictObject({
  leg: z
    .enum(CAPTURE_LEGS)
    .optional()
    .describe(
      "access: PPPoE; tunnel: L2TP, of a tunnel switch both; both: two legs. All that there are when absent.",
    ),
  frames: bounded("frames").optional().describe("It ends after so many frames."),
  octets: bounded("octets")
    .default(CAPTURE_DEFAULTS.octets)
    .describe("It ends after so many octets of frames."),
  seconds: bounded("seconds").default(CAPTURE_DEFAULTS.seconds).describe("It ends after so many seconds."),
  rate: bounded("rate")
    .default(CAPTURE_DEFAULTS.rate)
    .describe("Octets a second of each leg at the most; what is beyond is counted."),
  snap: bounded("snap").default(CAPTURE_DEFAULTS.snap).describe("Octets of each frame at the most."),
});

const capture = z.strictObject({
  id: captureId,
  session: sessionId,
  user: z.string().nullable(),
  legs: z.array(z.enum(["access", "tunnel"])),
  by: z.string().describe("Who captures, as far as it is known."),
  startedAt: z.iso.datetime(),
  endsAt: z.iso.datetime().describe("At the latest."),
  frames: z.int(),
  octets: z.int(),
  passedOver: z.int().describe("Frames that there were too many of for its rate, or for its reader."),
}) satisfies z.ZodType<CaptureView>;

const endCapture = z.strictObject({
  capture: captureId,
  reason: z.string().max(200).optional().describe("Why, for the log and for the file."),
});

export const CAPTURE_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/v1/captures",
    summary: "Captures that run.",
    answer: z.array(capture),
    handle: ({ operations }) => operations.captures(),
  }),
  route({
    method: "post",
    path: "/v1/captures/end",
    summary: "End a capture; what has been kept is still written.",
    body: endCapture,
    answer: z.strictObject({ capture: captureId }),
    handle: ({ operations }, { body }) => {
      operations.endCapture(body.capture, body.reason ?? "ended by an operator");
      return { capture: body.capture };
    },
  }),
];

export const CAPTURE_STREAMS: readonly StreamRoute[] = [
  streamRoute({
    path: "/v1/sessions/{id}/capture",
    summary: "One session's frames as they come and go, in pcapng.",
    description:
      "The file's beginning comes at once, and frames within some hundredths of a second, until a limit is reached, the session ends, the capture is ended by its id (the header Lacewing-Capture), or the connection is closed. Its end has for each leg how many frames there were, how many of them are not in the file, and why it ended. What does not fit the rate, or what its reader is too slow for, is passed over. There may be passwords in it. It stands in the log.",
    parameters: z.object({ id: sessionId }),
    query: captureQuery,
    type: "application/vnd.tcpdump.pcap",
    answer: "A pcapng file that grows.",
    open: ({ operations, version, request, response }, { parameters, query: { leg, ...limits } }) => {
      const sink = new ResponseSink(response);
      const asker = { by: askerOf(request), application: `Lacewing ${version}` };
      const asked = { session: parameters.id, legs: leg, ...limits, frames: limits.frames };
      sink.begin(operations.capture(asked, sink, asker), `${parameters.id}.pcapng`);
    },
  }),
];
