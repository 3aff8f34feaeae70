import { z } from "zod";
import { bitsPerSecond } from "./fields.ts";
import { nearMiss } from "./near-miss.ts";
import { didYouMean } from "./schema-problems.ts";

/** Where the connect speeds of ICCN come from; `bps` in bit/s. */
export type ConnectSpeedPolicy =
  | { readonly from: "line" }
  | { readonly from: "port" }
  | { readonly from: "static"; readonly bps: number };

/** line, port, or a rate. What is beyond 32 bits saturates on the wire. */
export function connectSpeed() {
  const allowed = { error: "line, port, or a rate in bit/s such as 512k, 100M or 1G" };
  return z
    .union([z.string(), z.int()], allowed)
    .transform((written, context): ConnectSpeedPolicy => {
      if (written === "line" || written === "port") return Object.freeze({ from: written });
      const bps = bitsPerSecond(String(written));
      if (bps >= 1) return Object.freeze({ from: "static", bps });
      context.addIssue({ code: "custom", message: allowed.error });
      return z.NEVER;
    })
    .meta({ errorMessage: allowed.error });
}

const CALLING_NUMBER_FIELDS = [
  "mac",
  "interface",
  "vlan",
  "outer-vlan",
  "circuit-id",
  "remote-id",
  "name",
] as const;
type CallingNumberField = (typeof CALLING_NUMBER_FIELDS)[number];

/** A text with {placeholders}: literal text and fields in turn. */
export type CallingNumberTemplate = readonly (string | { readonly field: CallingNumberField })[];

/** Text of at most 128 characters with {mac} and the like in it. */
export function callingNumberTemplate() {
  const fields = CALLING_NUMBER_FIELDS.map((field) => `{${field}}`).join(", ");
  const allowed = `1 to 128 printable characters, with ${fields} for what is known of the line`;
  return z
    .string({ error: allowed })
    .regex(/^[^\p{C}]{1,128}$/u, { error: allowed })
    .transform((written, context): CallingNumberTemplate => {
      const parts: (string | { readonly field: CallingNumberField })[] = [];
      for (const part of written.split(/(\{[^{}]*\})/)) {
        const name = /^\{(.*)\}$/.exec(part)?.[1];
        const field = CALLING_NUMBER_FIELDS.find((each) => each === name);
        if (field !== undefined) parts.push(Object.freeze({ field }));
        else if (/[{}]/.test(part)) {
          const meant = name === undefined ? undefined : nearMiss(name, CALLING_NUMBER_FIELDS);
          const hint = didYouMean(meant === undefined ? undefined : `{${meant}}`);
          context.addIssue({ code: "custom", message: `${allowed}; ${part} is none of them${hint}` });
          return z.NEVER;
        } else if (part !== "") parts.push(part);
      }
      return Object.freeze(parts);
    })
    .meta({ errorMessage: allowed });
}
