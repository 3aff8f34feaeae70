import { equalBytes, readU16 } from "../../../src/base/bytes.ts";
import { decodePppoe } from "../../../src/journal/decode-pppoe.ts";
import {
  emitEthernet,
  etherTypeOffset,
  formatMac,
  isStationMac,
  macNumber,
  macOctets,
  parseEthernet,
  parseMac,
  sameVlans,
  vlanId,
} from "../../../src/wire/ethernet.ts";
import {
  discoveryBytes,
  emitDiscovery,
  PPPOE_HEADER_BYTES,
  parseDiscovery,
  pppoePayloadLength,
  writePppoeHeader,
} from "../../../src/wire/pppoe.ts";
import {
  accessLineTag,
  emitTags,
  findAccessLine,
  findMaxPayload,
  findTag,
  findTextTag,
  maxPayloadTag,
  type PppoeTag,
  parseTags,
  tagsBytes,
  textTag,
} from "../../../src/wire/pppoe-tags.ts";
import { CAPTURED } from "../captures.ts";
import { type Marker, samples, tagMarks } from "../sample.ts";
import { type CodecTarget, ensure } from "../target.ts";
import { codec, emitsAgain, ensureBeginning } from "./codec.ts";

const octets = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** TR-101 and RFC 4638, which no capture holds. */
const TAGS: readonly PppoeTag[] = [
  textTag(0x0101, "internet"),
  accessLineTag([
    { type: 1, value: Uint8Array.from(Buffer.from("olt1 eth 1/1/3:7.10")) },
    { type: 2, value: Uint8Array.from(Buffer.from("customer-4711")) },
    ...[0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x8b, 0x90].map((type) => ({
      type,
      value: octets(0, 0, 0x27, type),
    })),
  ]),
  maxPayloadTag(1500),
  { type: 0x0104, value: new Uint8Array(24).fill(7) },
  { type: 0x0110, value: octets(1, 2, 3, 4, 5, 6) },
];
const PADR = emitDiscovery({ code: 0x19, sessionId: 0, tags: TAGS });
/** The end of the list in the middle, and an error. */
const PADS = emitDiscovery({
  code: 0x65,
  sessionId: 0,
  tags: [
    textTag(0x0202, "no resources"),
    textTag(0x0203, "try again"),
    { type: 0, value: octets() },
    ...TAGS,
  ],
});
const DISCOVERY = [...CAPTURED.discovery, PADR, PADS];

const ETHERNET_BYTES = 14;
const stations = { destination: octets(2, 0, 0, 0, 0, 1), source: octets(2, 0, 0, 0, 0, 2) };
const TAGGED = [
  [{ tpid: 0x8100, tci: 0x0007 }],
  [
    { tpid: 0x88a8, tci: 0x0064 },
    { tpid: 0x8100, tci: 0xe007 },
  ],
].map((tags) => emitEthernet({ ...stations, tags, etherType: 0x8863, payload: PADR }));
const typeMarks: Marker = () => [0, 6, 12, 16, 20];

function hasControls(text: string): boolean {
  return /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text);
}

export const PPPOE_CODECS: readonly CodecTarget[] = [
  codec(
    "ethernet",
    [
      parseEthernet,
      emitEthernet,
      etherTypeOffset,
      isStationMac,
      sameVlans,
      vlanId,
      formatMac,
      parseMac,
      macNumber,
      macOctets,
    ],
    samples([...CAPTURED.frames, ...TAGGED], typeMarks),
    (input) => {
      const typeAt = etherTypeOffset(input, 0, input.length);
      const frame = parseEthernet(input);
      ensure(typeAt < 0 === (frame === undefined), "the two forms disagree");
      if (frame === undefined) return;
      ensure(readU16(input, typeAt) === frame.etherType && frame.tags.length <= 2, "the two forms disagree");
      ensure(equalBytes(emitEthernet(frame), input), "the frame has changed");
      ensure(sameVlans(frame.tags, frame.tags), "tags that are not the same as themselves");
      isStationMac(frame.source);
      ensure(equalBytes(macOctets(macNumber(frame.source)), frame.source), "the number is another address's");
      if ((input[0]! & 3) === 0)
        ensure(equalBytes(parseMac(formatMac(frame.source))!, frame.source), "the address has changed");
    },
  ),
  codec(
    "pppoe-discovery",
    [parseDiscovery, emitDiscovery, discoveryBytes, pppoePayloadLength, writePppoeHeader],
    samples(DISCOVERY, tagMarks(PPPOE_HEADER_BYTES)),
    (input) => {
      const length = pppoePayloadLength(input, 0, input.length);
      ensure(PPPOE_HEADER_BYTES + length <= input.length || length < 0, "more than there is");
      const packet = parseDiscovery(input);
      if (typeof packet === "string") return;
      ensure(length >= 0, "the two forms disagree");
      const emitted = emitsAgain(packet, emitDiscovery, parseDiscovery);
      ensure(emitted.length === discoveryBytes(packet), "another length than was said");
      // the length differs when the list was ended by a tag
      ensureBeginning(emitted.subarray(PPPOE_HEADER_BYTES), input.subarray(PPPOE_HEADER_BYTES));
    },
  ),
  codec("pppoe-decoded", [decodePppoe], samples([...CAPTURED.frames, ...TAGGED], typeMarks), (input) => {
    const { name, text } = decodePppoe(input);
    ensure(name !== "" && text !== "", "nothing is said of it");
    ensure(!hasControls(text), "it would act on a terminal");
  }),
  codec(
    "pppoe-tags",
    [parseTags, emitTags, tagsBytes, findTag, findTextTag, findMaxPayload, findAccessLine, accessLineTag],
    samples(
      DISCOVERY.map((packet) => packet.subarray(PPPOE_HEADER_BYTES)),
      tagMarks(0),
    ),
    (input) => {
      const tags = parseTags(input);
      if (tags === undefined) return;
      ensure(
        emitsAgain(tags, emitTags, parseTags).length === tagsBytes(tags),
        "another length than was said",
      );
      for (const { type } of tags) ensure(findTag(tags, type) !== undefined, "a tag that is not found");
      findTextTag(tags, 0x0203);
      findMaxPayload(tags);
      const line = findAccessLine(tags);
      if (line === undefined) return;
      const again = findAccessLine([accessLineTag(line.subOptions)]);
      ensure(
        again?.circuitId === line.circuitId && again?.remoteId === line.remoteId,
        "the line has changed",
      );
    },
  ),
];

/** Whole frames of discovery, for machines. */
export const DISCOVERY_FRAMES: readonly Uint8Array[] = [
  ...CAPTURED.frames.filter((frame) => readU16(frame, ETHERNET_BYTES - 2) === 0x8863),
  ...TAGGED,
];
