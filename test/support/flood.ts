/** Floods: more frames than any test process could send, from a tool that is compiled when it is first needed. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { concatBytes } from "../../src/base/bytes.ts";
import type { Netns } from "./netns.ts";

const SOURCE = fileURLToPath(new URL("./flood-sender.cc", import.meta.url));
const TOOL = fileURLToPath(new URL("../../.stamps/flood/flood-sender", import.meta.url));
const FLAGS = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror"];

export interface Flooded {
  readonly sent: number;
  /** The device had no room for these. */
  readonly refused: number;
  readonly seconds: number;
  /** Of the sender, with what the system did for it. */
  readonly processorSeconds: number;
}

function build(): void {
  if (existsSync(TOOL) && statSync(TOOL).mtimeMs > statSync(SOURCE).mtimeMs) return;
  mkdirSync(dirname(TOOL), { recursive: true });
  const unfinished = `${TOOL}.${process.pid}`;
  execFileSync("g++", [...FLAGS, "-o", unfinished, SOURCE], { stdio: ["ignore", "inherit", "inherit"] });
  renameSync(unfinished, TOOL);
}

/** Sends `frames` in turn on a device, as fast as it takes them, for so long. */
export async function flood(
  netns: Netns,
  device: string,
  frames: readonly Uint8Array[],
  milliseconds: number,
): Promise<Flooded> {
  build();
  const sender = netns.spawn([TOOL, device, String(milliseconds)], { stdio: ["pipe", "pipe", "inherit"] });
  sender.stdin!.end(
    concatBytes(...frames.flatMap((frame) => [Uint8Array.of(frame.length >>> 8, frame.length), frame])),
  );
  const output = await text(sender.stdout!);
  if (output === "") throw new Error("the flood ended without a word");
  return JSON.parse(output) as Flooded;
}
