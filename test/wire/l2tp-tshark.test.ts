/** What later RFCs added to L2TP's control messages, judged by tshark as test/wire/tshark.test.ts has the others judged. */

import { describe, expect, it } from "vitest";
import { concatBytes, utf8 } from "../../src/base/bytes.ts";
import { L2TP_CONTROL_HEADER_BYTES, writeControlHeader } from "../../src/wire/l2tp-control-header.ts";
import { emitMessage, type L2tpMessage } from "../../src/wire/l2tp-messages.ts";
import { expectNoMalformed, tsharkFields, withCapture } from "../support/tshark.ts";
import { udpFrame } from "../support/udp-frame.ts";

const L2TP_PORT = 1701;

/** What tshark makes of each message, and that it finds nothing wrong with any: one run of it for all of them. */
function fieldsOf<const F extends string>(
  messages: readonly L2tpMessage[],
  fields: readonly F[],
): readonly Record<F, string[]>[] {
  const frames = messages.map((message, ns) => {
    const datagram = emitMessage(message, undefined, L2TP_CONTROL_HEADER_BYTES);
    writeControlHeader(datagram, 22, 0, ns, 6);
    return udpFrame(datagram, L2TP_PORT);
  });
  return withCapture(frames, (path) => {
    expectNoMalformed(path);
    return tsharkFields(path, fields);
  });
}

describe("tshark reads what we emit", () => {
  it("of an access line (RFC 5515), with AVPs of others behind it", () => {
    const [line] = fieldsOf(
      [
        {
          kind: "ICRQ",
          assignedSessionId: 111,
          callSerialNumber: 1,
          connectSpeedUpdateEnable: true,
          accessLine: {
            agentCircuitId: "dslam-7 atm 1/1:8.35",
            agentRemoteId: "alice",
            actualDataRateUpstream: 40_000_000,
            actualDataRateDownstream: 10_000_000_000,
            minimumDataRateDownstreamLowPower: 64_000,
            maximumInterleavingDelayUpstream: 4,
            actualInterleavingDelayDownstream: 8,
            accessLoopEncapsulation: { dataLink: 1, encapsulation1: 2, encapsulation2: 3 },
            ancpAccessLineType: 5,
            interworkingFunction: true,
          },
          avps: [{ vendor: 0, type: 23, mandatory: true, value: utf8("7") }],
        },
      ],
      [
        "l2tp.broadband.agent_circuit_id",
        "l2tp.broadband.agent_remote_id",
        "l2tp.broadband.actual_dr_up",
        "l2tp.broadband.actual_dr_down",
        "l2tp.broadband.minimum_dr_down_low_power",
        "l2tp.broadband.maximum_interleaving_delay_up",
        "l2tp.broadband.actual_interleaving_delay_down",
        "l2tp.broadband.access_loop_encapsulation.data_link",
        "l2tp.broadband.access_loop_encapsulation.enc1",
        "l2tp.broadband.access_loop_encapsulation.enc2",
        "l2tp.broadband.ancp_access_line_type",
        "l2tp.broadband.iwf_session",
        "l2tp.avp.sub_address",
      ],
    );
    expect(Object.values(line!).map((values) => values.join())).toEqual([
      "dslam-7 atm 1/1:8.35",
      "alice",
      "40000000",
      "10000000000",
      "64000",
      "4",
      "8",
      "0x01",
      "0x02",
      "0x03",
      "0x00000005",
      "0x00000001",
      "7",
    ]);
  });

  it("of the speeds of two sessions in CSUN and CSURQ", () => {
    const connectSpeedUpdate = [
      { sessionId: 900, txConnectSpeed: 1_000_000, rxConnectSpeed: 4_000_000_000 },
      { sessionId: 901, txConnectSpeed: 3, rxConnectSpeed: 4 },
    ];
    const messages = (["CSUN", "CSURQ"] as const).map((kind) => ({ kind, connectSpeedUpdate }));
    const speeds = fieldsOf(messages, [
      "l2tp.avp.message_type",
      "l2tp.avp.csu.remote_session_id",
      "l2tp.avp.csu.current_tx_speed",
      "l2tp.avp.csu.current_rx_speed",
    ]);
    const rest = [
      ["900", "901"],
      ["1000000", "3"],
      ["4000000000", "4"],
    ];
    expect(speeds.map((each) => Object.values(each))).toEqual([
      [["28"], ...rest],
      [["29"], ...rest],
    ]);
  });

  it("of the other messages", () => {
    const disconnect = { code: 3, protocol: 0xc021, direction: 1, message: "bye" };
    const messages: readonly L2tpMessage[] = [
      { kind: "CDN", assignedSessionId: 7, resultCode: { result: 3 }, pppDisconnectCause: disconnect },
      { kind: "OCRP", assignedSessionId: 7 },
      { kind: "OCCN", txConnectSpeed: 1, framingType: 1 },
      { kind: "WEN", callErrors: new Uint8Array(26) },
      { kind: "SLI", accm: concatBytes(new Uint8Array(2), new Uint8Array(8).fill(0xff)) },
    ];
    const read = fieldsOf(messages, ["l2tp.avp.message_type", "l2tp.avp.type"]);
    expect(read.map((each) => each["l2tp.avp.message_type"])).toEqual([["14"], ["8"], ["9"], ["15"], ["16"]]);
    expect(read[0]!["l2tp.avp.type"]).toEqual(["0", "1", "14", "46"]);
  });
});
