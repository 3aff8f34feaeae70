import { equalBytes } from "../../../src/base/bytes.ts";
import { decodeLcpOptions, decodePpp } from "../../../src/journal/decode-ppp.ts";
import { emitChap, parseChap } from "../../../src/wire/chap.ts";
import { emitIpcpOption, parseIpcpOption } from "../../../src/wire/ipcp.ts";
import { emitIpv6cpOption, parseIpv6cpOption } from "../../../src/wire/ipv6cp.ts";
import { emitLcp, emitLcpOption, type LcpPacket, parseLcp, parseLcpOption } from "../../../src/wire/lcp.ts";
import {
  authenticatorResponseOf,
  emitMsChapFailure,
  emitMsChapSuccess,
  emitMsChapV2Response,
  msChapFailureText,
  parseMsChapV2Response,
} from "../../../src/wire/ms-chap.ts";
import { emitPap, parsePap } from "../../../src/wire/pap.ts";
import {
  emitPpp,
  isPppControl,
  PPP_CHAP,
  PPP_IPCP,
  PPP_IPV6CP,
  PPP_LCP,
  PPP_PAP,
  parsePpp,
  pppHeaderBytes,
  pppProtocol,
} from "../../../src/wire/ppp.ts";
import {
  type ConfigOption,
  emitControlPacket,
  emitOptions,
  parseControlPacket,
  parseOptions,
} from "../../../src/wire/ppp-control.ts";
import { blankPppSecrets } from "../../../src/wire/ppp-secrets.ts";
import { CAPTURED, capturedPackets } from "../captures.ts";
import { optionMarks, type Sample, samples } from "../sample.ts";
import { type CodecTarget, ensure } from "../target.ts";
import { codec, emitsAgain, ensureBeginning } from "./codec.ts";

const CONTROL_HEADER_BYTES = 4;
const optionsOf = optionMarks(CONTROL_HEADER_BYTES);
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** Kinds that no capture holds. */
const MORE_LCP: readonly LcpPacket[] = [
  { kind: "code-reject", identifier: 7, rejectedPacket: Uint8Array.of(14, 1, 0, 4) },
  { kind: "protocol-reject", identifier: 8, rejectedProtocol: 0x80fd, rejectedInformation: ascii("ccp") },
  { kind: "identification", identifier: 9, magic: 0x01020304, message: ascii("somebody 1.0") },
  { kind: "time-remaining", identifier: 10, magic: 0x01020304, seconds: 3600, message: ascii("an hour") },
  { kind: "discard-request", identifier: 11, magic: 5, data: new Uint8Array(40) },
  {
    kind: "configure-nak",
    identifier: 12,
    options: [1, 2, 3, 4, 5, 7, 8, 13, 17].map((type) => ({ type, data: Uint8Array.of(0xc2, 0x23, 5) })),
  },
];

/** Packets of one protocol with what of the others fits its form, so that each codec meets its neighbours', too. */
function packets(protocol: number, more: readonly Uint8Array[] = []): Sample[] {
  return samples([...capturedPackets(protocol), ...more], optionsOf);
}

const LCP = packets(PPP_LCP, MORE_LCP.map(emitLcp));

const PROOF = `S=${"0123456789ABCDEF0123".repeat(2)}`;
/** Values and Messages of MS-CHAPv2, which no capture holds. */
const MS_CHAP = samples([
  emitMsChapV2Response({ peerChallenge: new Uint8Array(16).fill(1), ntResponse: new Uint8Array(24).fill(2) }),
  emitMsChapSuccess(PROOF, "welcome"),
  emitMsChapFailure(new Uint8Array(16), "wrong user name or password"),
]);

/** Reads the options of a packet and writes them again, each by its own codec. */
function checkOptions(input: Uint8Array, again: (option: ConfigOption) => ConfigOption): void {
  const control = parseControlPacket(input);
  const options = control && parseOptions(control.data);
  if (options === undefined) return;
  for (const option of options) {
    const written = again(option);
    ensure(written.type === option.type && equalBytes(written.data, option.data), "an option has changed");
  }
}

export const PPP_CODECS: readonly CodecTarget[] = [
  codec(
    "ppp",
    [parsePpp, emitPpp, pppHeaderBytes, pppProtocol, isPppControl],
    samples(CAPTURED.ppp),
    (input) => {
      const header = pppHeaderBytes(input, 0, input.length);
      const frame = parsePpp(input);
      ensure((header === 0) === (frame === undefined), "the two forms disagree");
      if (frame === undefined) return;
      ensure(header <= 4 && frame.information.length === input.length - header, "a header of no such length");
      ensure(pppProtocol(input, 0, header) === frame.protocol, "the two forms disagree");
      emitPpp(frame.protocol, frame.information);
      if (input.length >= 2) isPppControl(input, 0);
    },
  ),
  codec("ppp-control", [parseControlPacket, emitControlPacket, parseOptions, emitOptions], LCP, (input) => {
    const packet = parseControlPacket(input);
    if (packet === undefined) return;
    ensureBeginning(emitControlPacket(packet), input);
    const options = parseOptions(packet.data);
    if (options !== undefined) ensure(equalBytes(emitOptions(options), packet.data), "options have changed");
  }),
  codec("lcp", [parseLcp, emitLcp], LCP, (input) => {
    const packet = parseLcp(input);
    if (packet !== undefined) ensureBeginning(emitsAgain(packet, emitLcp, parseLcp), input);
  }),
  codec("lcp-options", [parseLcpOption, emitLcpOption], LCP, (input) =>
    checkOptions(input, (option) => emitLcpOption(parseLcpOption(option))),
  ),
  codec("pap", [parsePap, emitPap], packets(PPP_PAP), (input) => {
    const packet = parsePap(input);
    if (packet !== undefined) emitsAgain(packet, emitPap, parsePap);
  }),
  codec("chap", [parseChap, emitChap], packets(PPP_CHAP), (input) => {
    const packet = parseChap(input);
    if (packet !== undefined) ensureBeginning(emitsAgain(packet, emitChap, parseChap), input);
  }),
  codec("ipcp-options", [parseIpcpOption, emitIpcpOption], packets(PPP_IPCP), (input) =>
    checkOptions(input, (option) => emitIpcpOption(parseIpcpOption(option))),
  ),
  codec("ipv6cp-options", [parseIpv6cpOption, emitIpv6cpOption], packets(PPP_IPV6CP), (input) =>
    checkOptions(input, (option) => emitIpv6cpOption(parseIpv6cpOption(option))),
  ),
  codec("ppp-secrets", [blankPppSecrets], samples(CAPTURED.ppp), (input) => {
    const frame = Uint8Array.from(input);
    const middle = frame.length >> 2;
    blankPppSecrets(frame, middle, frame.length);
    ensure(
      equalBytes(frame.subarray(0, middle), input.subarray(0, middle)),
      "octets before the frame changed",
    );
    for (const [i, octet] of frame.entries()) ensure(octet === input[i] || octet === 0, "an octet changed");
    decodePpp(input);
    decodePpp(frame.subarray(middle));
    decodeLcpOptions(input);
  }),
  codec(
    "ms-chap",
    [parseMsChapV2Response, emitMsChapV2Response, authenticatorResponseOf, msChapFailureText],
    MS_CHAP,
    (input) => {
      const response = parseMsChapV2Response(input);
      if (response !== undefined) emitsAgain(response, emitMsChapV2Response, parseMsChapV2Response);
      const proof = authenticatorResponseOf(input);
      ensure(proof === undefined || proof.length === 42, "a proof of no such length");
      msChapFailureText(input);
    },
  ),
];
