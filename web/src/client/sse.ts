/** Reads server-sent events (HTML Living Standard §9.2.6) from text that comes in pieces. */

export interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Somebody who sends no end of an event is not of ours. */
const LONGEST_PENDING = 1024 * 1024;

export class EventReader {
  #pending = "";

  /** The events that are complete with this piece. */
  read(piece: string): readonly ServerSentEvent[] {
    const blocks = (this.#pending + piece).split("\n\n");
    const rest = blocks.pop() ?? "";
    this.#pending = rest.length > LONGEST_PENDING ? "" : rest;
    return blocks.flatMap(parseBlock);
  }
}

function parseBlock(block: string): readonly ServerSentEvent[] {
  let id: string | undefined;
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w+):[ ]?(.*)$/.exec(line) ?? [];
    if (name === "id") id = value;
    else if (name === "event") event = value ?? "";
    else if (name === "data") data.push(value ?? "");
  }
  // comments and times to wait are no events
  return data.length === 0 ? [] : [{ id, event, data: data.join("\n") }];
}
