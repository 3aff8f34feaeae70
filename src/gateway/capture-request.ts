/** What an operator says of a capture, and the bounds of it. */

/** Which leg: where the session calls from, L2TP (of a tunnel switch: both tunnels), or two. */
export const CAPTURE_LEGS = ["access", "tunnel", "both"] as const;
export type CaptureLegs = (typeof CAPTURE_LEGS)[number];

/** What ends a capture, and what it costs at the most. */
export interface CaptureLimits {
  /** Frames; no limit when undefined. */
  readonly frames: number | undefined;
  /** Octets of frames, as they are kept. */
  readonly octets: number;
  readonly seconds: number;
  /** Octets a second of each leg; what is beyond is counted, and not kept. */
  readonly rate: number;
  /** Octets of a frame that are kept. */
  readonly snap: number;
}

export interface CaptureRequest extends CaptureLimits {
  /** The session's id: "s12". */
  readonly session: string;
  /** Undefined: all legs that it has. */
  readonly legs: CaptureLegs | undefined;
}

interface Bound {
  readonly least: number;
  readonly most: number;
}

export const CAPTURE_BOUNDS = {
  frames: { least: 1, most: 1_000_000_000 },
  octets: { least: 1024, most: 2 ** 34 },
  seconds: { least: 1, most: 86_400 },
  rate: { least: 1024, most: 2 ** 24 },
  snap: { least: 64, most: 65_535 },
} as const satisfies Readonly<Record<keyof CaptureLimits, Bound>>;

/** A capture that is forgotten ends by itself, and fills no disk. */
export const CAPTURE_DEFAULTS: CaptureLimits = {
  frames: undefined,
  octets: 2 ** 26,
  seconds: 600,
  rate: 2 ** 21,
  snap: CAPTURE_BOUNDS.snap.most,
};

/** Whoever captures. */
export interface CaptureAsker {
  /** Who, as far as it is known: for the log. */
  readonly by: string;
  /** What the file says that it was made by. */
  readonly application: string;
}

/** Where a capture goes, in pcapng. */
export interface CaptureSink {
  /** Octets that it has been given and not yet passed on. */
  readonly waitingBytes: number;
  write(octets: Uint8Array): void;
  /** Nothing more comes. */
  end(): void;
}

/** A capture that runs. */
export interface OpenCapture {
  readonly id: string;
  /** Ends it, as soon as what has been kept is written; for nothing when it is ending. */
  end(reason: string): void;
}
