import type { GatewayEvent } from "../../../src/gateway/events.ts";
import { duration } from "./format.ts";

interface EventWords {
  /** How it is marked. */
  readonly tone: "good" | "plain" | "bad";
  /** Who it is about. */
  readonly who: string;
  readonly what: string;
  /** Where more is to be read. */
  readonly href: string;
}

/** An event in a line. */
export function eventWords(event: GatewayEvent): EventWords {
  switch (event.kind) {
    case "session-up":
      return {
        tone: "good",
        ...session(event),
        what: `online after ${Math.round(event.setupMs)} ms${event.lns === null ? "" : `, at ${event.lns}`}`,
      };
    case "session-down":
      return {
        tone: event.wasUp ? "plain" : "bad",
        ...session(event),
        what: event.wasUp
          ? `offline after ${duration(event.openSeconds)}: ${event.reason}`
          : `did not get in: ${event.reason}`,
      };
    case "tunnel-up":
      return { tone: "good", ...tunnel(event), what: `up, with ${event.address}` };
    case "tunnel-down":
      return {
        tone: "bad",
        ...tunnel(event),
        what: event.wasUp ? `down: ${event.reason}` : `did not come up: ${event.reason}`,
      };
    case "tunnel-not-answering":
      return { tone: "bad", ...tunnel(event), what: `does not answer: ${event.reason}` };
    case "tunnel-answers":
      return {
        tone: "good",
        ...tunnel(event),
        what: `answers again, after ${Math.round(event.afterSeconds)} s`,
      };
    case "tunnel-refused":
      return {
        tone: "bad",
        who: event.hostName ?? event.address,
        href: "#/tunnels",
        what: `tunnel refused: ${event.reason}`,
      };
    case "call-down":
      return {
        tone: event.connected ? "plain" : "bad",
        ...tunnel(event),
        what: `call ended: ${event.reason}`,
      };
    case "lns-locked-out":
      return {
        tone: "bad",
        who: event.peer,
        href: "#/tunnels",
        what: `locked out for ${duration(event.seconds)}: ${event.reason}`,
      };
    case "lns-back":
      return { tone: "good", who: event.peer, href: "#/tunnels", what: "takes calls again" };
  }
}

function session({ user, mac, session }: { user: string | null; mac: string | null; session: string }) {
  return { who: user ?? mac ?? session, href: `#/sessions/${session}` };
}

function tunnel({ peer, tunnel }: { peer: string; tunnel: number }) {
  return {
    who: peer === "" ? `tunnel ${tunnel}` : `${peer}, tunnel ${tunnel}`,
    href: `#/why?tunnel=${tunnel}`,
  };
}
