import { Faulty } from "./benchmark.ts";

/** What the generator and sink (bench/xdp/) count and print. */

/** The first frame of a run that was not what it should have been. Octets are hexadecimal, as they stand in the frame. */
interface DamagedFrame {
  /** What was wrong first: its length, a header of the packet, its stamp, its pattern, or what routing may change. */
  readonly of: "length" | "headers" | "stamp" | "pattern" | "routing";
  /** Where in the frame, from 0, and what should have stood there. */
  readonly at: number;
  readonly expected: string;
  readonly found: string;
  /** The length of the frame. */
  readonly octets: number;
  /** How the frame begins. */
  readonly frame: string;
}

/** One direction; frames. */
export interface StreamReport {
  readonly sent: number;
  /** Each frame once. */
  readonly received: number;
  /** Of those, what had come when the run's time was over. */
  readonly receivedInTime: number;
  /** Octets of the packets that came. */
  readonly octets: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Came after a later one of its session. */
  readonly reordered: number;
  /** Other octets than were sent. */
  readonly damaged: number;
  /** Where some were damaged. */
  readonly firstDamaged?: DamagedFrame;
  /** Came out on another session. */
  readonly misdelivered: number;
  /** Control messages and the like, which went on to who waits for them. */
  readonly foreign: number;
  /** With a window: how often the generator saw that it was still full. */
  readonly waits: number;
  /** With a window: how often the last frames of a full window were lost. */
  readonly windowTimeouts: number;
  /** At a fixed rate: the most frames that a pause of the generator kept back, and that left late. */
  readonly largestBacklog: number;
  /** From the generator's writing to the sink's reading. */
  readonly latencyUs: { readonly p50: number; readonly p99: number };
}

export interface TrafficReport {
  readonly up?: StreamReport;
  readonly down?: StreamReport;
  readonly seconds: number;
  /** That others had the generator's processor when it wanted it. */
  readonly waitedSeconds: number;
  /** Of the generator, which always runs. */
  readonly turns: number;
  /** Turns in which it had no frame to send. */
  readonly idleTurns: number;
}

/** The directions that were measured. */
export function streamsOf(report: TrafficReport): readonly StreamReport[] {
  return [report.up, report.down].filter((stream) => stream !== undefined);
}

/** Frames a second that came out while frames went in, all directions together. */
export function deliveredPerSecond(report: TrafficReport): number {
  return total(report, "receivedInTime") / report.seconds;
}

/** Of all frames that went in; 0 when none did. */
export function lossPercent(report: TrafficReport): number {
  const sent = total(report, "sent");
  return sent === 0 ? 0 : (100 * total(report, "lost")) / sent;
}

/** Of the generator's turns: below it, a closed loop has measured the generator as much as the LAC. */
const LEAST_WAITING = 0.05;

/** Whether the generator, at full window, had time to wait for the LAC. */
export function outranLac({ turns, idleTurns }: TrafficReport): boolean {
  return idleTurns >= LEAST_WAITING * turns;
}

/** Of a run's time. A moment does no harm: the generator is faster than what it measures. */
const MOST_WAITED = 0.25;

/** Whether the generator had too little of its processor for the run to say anything about the LAC. */
export function wasStarved({ seconds, waitedSeconds }: TrafficReport): boolean {
  return waitedSeconds > MOST_WAITED * seconds;
}

/** Throws a Faulty when there is a fault: see faultOf(). */
export function mustBeSound(report: TrafficReport, offered?: number): void {
  const fault = faultOf(report, offered);
  if (fault !== undefined) throw new Faulty(fault, { cause: report });
}

/**
 * What must not be, whatever the load: why the figures of a run mean nothing; undefined when they do. `offered`: frames
 * that should have been sent in each direction.
 */
export function faultOf(report: TrafficReport, offered?: number): string | undefined {
  for (const stream of streamsOf(report)) {
    if (stream.damaged > 0) return `${stream.damaged} frames were damaged${evidence(stream.firstDamaged)}`;
    if (stream.misdelivered > 0) return `${stream.misdelivered} frames came out on another session`;
    if (stream.duplicated > 0) return `${stream.duplicated} frames came twice`;
    if (stream.reordered > 0) return `${stream.reordered} frames came after later ones of their session`;
    if (stream.sent === 0) return "the generator sent nothing";
    if (offered !== undefined && stream.sent < 0.999 * offered)
      return `the generator sent ${stream.sent} frames, less than it should have`;
  }
  return undefined;
}

function evidence(first: DamagedFrame | undefined): string {
  if (first === undefined) return "";
  const { of, at, octets, found, expected } = first;
  return `, the first in its ${of}: ${found} and not ${expected} at octet ${at} of ${octets}`;
}

function total(report: TrafficReport, what: "sent" | "lost" | "receivedInTime"): number {
  return streamsOf(report).reduce((sum, stream) => sum + stream[what], 0);
}
