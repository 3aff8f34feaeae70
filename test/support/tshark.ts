/** tshark as the independent judge of what Lacewing sends. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writePcap } from "./pcap.ts";

/** Marks of the expert system from "Warning" on; "Chat" and "Note" are no complaints. */
const COMPLAINTS = "_ws.malformed || _ws.expert.severity >= 0x600000";
/** Between several values of one field: no field that we ask for has it in its text. */
const AGGREGATOR = "|";

/**
 * One record a frame of the capture at `path` that `filter` (a display filter) lets through: for each of
 * `fields` its values, as tshark prints them.
 */
export function tsharkFields<const F extends string>(
  path: string,
  fields: readonly F[],
  filter = "frame",
): Record<F, string[]>[] {
  const format = ["-T", "fields", "-E", "occurrence=a", "-E", `aggregator=${AGGREGATOR}`];
  const columns = fields.flatMap((field) => ["-e", field]);
  const output = execFileSync("tshark", ["-n", "-r", path, "-Y", filter, ...format, ...columns], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 28,
  });
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const values = line.split("\t");
      const named = fields.map((field, i) => [field, values[i] ? values[i].split(AGGREGATOR) : []]);
      return Object.fromEntries(named) as Record<F, string[]>;
    });
}

/** What tshark finds wrong with a capture: a line for each frame that is malformed or draws a warning. */
function complaintsAbout(path: string): string[] {
  const fields = ["frame.number", "_ws.expert.message", "frame.protocols"] as const;
  return tsharkFields(path, fields, COMPLAINTS).map(
    (frame) => `frame ${frame["frame.number"]}: ${frame["_ws.expert.message"]} (${frame["frame.protocols"]})`,
  );
}

/** Fails with tshark's words when anything in the capture at `path` is malformed or draws a warning. */
export function expectNoMalformed(path: string): void {
  const complaints = complaintsAbout(path);
  if (complaints.length > 0) throw new Error(`tshark complains about ${path}:\n${complaints.join("\n")}`);
}

/** Writes Ethernet frames to a capture that exists while `use` runs. */
export function withCapture<T>(frames: readonly Uint8Array[], use: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "lacewing-capture-"));
  try {
    const path = join(directory, "frames.pcap");
    writeFileSync(path, writePcap(frames));
    return use(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
