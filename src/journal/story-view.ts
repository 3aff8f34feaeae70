/** The answer to "why?": what happened to a session, a user, a host or a tunnel. Plain values, fit for JSON. */

/** Whom a story is asked of; the first that is given counts. */
export interface Subject {
  /** "s12", as log lines and `lacewing show sessions` have it. */
  readonly session?: string;
  /** A user name, whole, as the subscriber gave it. */
  readonly user?: string;
  /** "02:00:5e:10:00:01", in any case. */
  readonly mac?: string;
  /** A tunnel's id: ours, or where we have none of that number what the other end calls it. */
  readonly tunnel?: number;
  /** The L2TP session in that tunnel, by our id or the other end's. */
  readonly call?: number;
}

/** Where a message travelled: "access" is PPPoE, "ppp" the subscriber's own protocols, "tunnel" L2TP; a "note" is our own. */
export type StoryLeg = "access" | "ppp" | "tunnel" | "note";

/** One message, or a decision of ours. */
export interface StoryEvidence {
  /** ISO 8601, UTC, with milliseconds. */
  readonly at: string;
  /** "in": to us. Null of notes. */
  readonly direction: "in" | "out" | null;
  readonly leg: StoryLeg;
  /** The RFC's name of the message: "PADI", "LCP Configure-Request", "ICRQ"; of a note, what it is about. */
  readonly name: string;
  readonly text: string;
  /** It had been sent or received before: a retransmission. */
  readonly again?: true;
}

/** How far it came: a stable word to match on. */
export type StoryStage =
  | "unheard" // nothing is known
  | "discovery" // PPPoE: before PADS
  | "lcp"
  | "authentication"
  | "selection" // no LNS could be chosen, or all of them failed
  | "tunnel" // SCCRQ, SCCRP, SCCCN
  | "call" // ICRQ, ICRP, ICCN
  | "network" // IPCP, IPV6CP
  | "open"
  | "ended"; // in good order

/** What it usually is, and what to do. */
export interface StoryCause {
  /** A rule of docs/troubleshooting.md. */
  readonly code: string;
  readonly text: string;
  readonly advice: readonly string[];
}

export interface StoryView {
  /** Whose story it is, as asked: "session s12", "user alice@isp.example". */
  readonly subject: string;
  /** Something of it is in the journal. */
  readonly found: boolean;
  /** One sentence. */
  readonly headline: string;
  readonly paragraphs: readonly string[];
  /** Oldest first; the newest ones where there are too many to show. */
  readonly evidence: readonly StoryEvidence[];
  readonly stoppedAt: StoryStage;
  /** The most probable first; empty where nothing is wrong. */
  readonly likely: readonly StoryCause[];
}

/** What explains: the journal of a running gateway. */
export interface Explainer {
  /** Yields to others while it reads; never rejects. */
  explain(subject: Subject): Promise<StoryView>;
}
