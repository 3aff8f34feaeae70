import { type Instant, NEVER } from "../base/time.ts";
import { type NetlinkMessage, netlinkErrno, parseNetlinkMessages } from "../wire/rtnetlink.ts";
import { getLinkRequest, parseLinkEvent } from "../wire/rtnetlink-link.ts";
import { parseLinkLayer } from "../wire/rtnetlink-link-layer.ts";
import { getNeighbourRequest, type NeighbourKey, parseNeighbour } from "../wire/rtnetlink-neighbour.ts";
import { getRouteRequest, parseRoute } from "../wire/rtnetlink-route.ts";
import type { LinkAnswer, NeighbourAnswer, Question, RouteAnswer } from "./next-hop-resolution.ts";

const ENODEV = 19;

/** Parts of the kernel's answer to one request. */
export type Answer = readonly Uint8Array[];

interface FactOf<Kind, Subject, Value> {
  readonly kind: Kind;
  readonly key: string;
  readonly subject: Subject;
  /** As the kernel answered last; undefined before it did. */
  value: Value | undefined;
  /** Keys of the questions that rest on it. Nobody's fact is forgotten. */
  readonly users: Set<string>;
  /** The newest request for it that is not answered yet; 0 when there is none. An older one's answer is stale. */
  asked: number;
}

export type RouteFact = FactOf<"route", Question, RouteAnswer>;
export type LinkFact = FactOf<"link", number, LinkAnswer>;
export type NeighbourFact = FactOf<"neighbour", NeighbourKey, NeighbourAnswer> & {
  /** When the kernel may next be made to look for it. */
  useNotBefore: Instant;
};
/** Something that the kernel knows and that a next hop rests on. */
export type Fact = RouteFact | LinkFact | NeighbourFact;

function fact<Kind, Subject>(kind: Kind, key: string, subject: Subject) {
  return { kind, key, subject, value: undefined, users: new Set<string>(), asked: 0 };
}

export function questionKey({ remote, local, ifindex }: Question): string {
  return `route ${remote.join()} ${local?.join() ?? ""} ${ifindex ?? ""}`;
}

export function linkKey(ifindex: number): string {
  return `link ${ifindex}`;
}

export function neighbourKey({ ifindex, address }: NeighbourKey): string {
  return `neighbour ${ifindex} ${address.join()}`;
}

export function routeFact(question: Question): RouteFact {
  return fact("route" as const, questionKey(question), question);
}

export function linkFact(ifindex: number): LinkFact {
  return fact("link" as const, linkKey(ifindex), ifindex);
}

export function neighbourFact(key: NeighbourKey): NeighbourFact {
  return { ...fact("neighbour" as const, neighbourKey(key), key), useNotBefore: -NEVER };
}

/** What asks the kernel for the fact. */
export function requestFor(known: Fact, seq: number): Uint8Array {
  switch (known.kind) {
    case "route": {
      const { remote, local, ifindex } = known.subject;
      const from = {
        ...(local !== undefined && { source: local }),
        ...(ifindex !== undefined && { ifindex }),
      };
      return getRouteRequest(seq, remote, from);
    }
    case "link":
      return getLinkRequest(seq, known.subject);
    case "neighbour":
      return getNeighbourRequest(seq, known.subject);
  }
}

/** Takes the kernel's answer to requestFor() in; false when it does not say. */
export function learn(known: Fact, answer: Answer): boolean {
  const errno = netlinkErrno(answer);
  if (errno === undefined) return false;
  const messages = parseNetlinkMessages(answer);
  switch (known.kind) {
    case "route":
      known.value = firstOf(messages, parseRoute) ?? { refused: errno };
      return true;
    case "link": {
      const link = firstOf(messages, parseLink);
      if (link === undefined && errno !== ENODEV) return false;
      known.value = link ?? "gone";
      return true;
    }
    case "neighbour":
      known.value = firstOf(messages, parseNeighbour) ?? "none";
      return true;
  }
}

function firstOf<Value>(
  messages: readonly NetlinkMessage[],
  parse: (message: NetlinkMessage) => Value | undefined,
): Value | undefined {
  for (const message of messages) {
    const value = parse(message);
    if (value !== undefined) return value;
  }
  return undefined;
}

function parseLink(message: NetlinkMessage): LinkAnswer | undefined {
  const event = parseLinkEvent(message);
  const layer = parseLinkLayer(message);
  return event?.kind === "link" && layer !== undefined ? { info: event.link, layer } : undefined;
}
