/**
 * Every scenario with a peer that is not ours: what docs/interop.md lists, row by row. `npm run interop` runs them
 * all and writes that page; a test in `npm test` says when the page is behind this list.
 */

/** Whose Debian package a peer comes from is in peer-versions.ts. */
export type PeerProgram = "pppd" | "pppoe-server" | "xl2tpd" | "l2tpns";

export interface Scenario {
  readonly peer: PeerProgram;
  /** What the peer is. */
  readonly role: string;
  /** What Lacewing is. */
  readonly ours: string;
  /** What was exercised; the test asserts all of it. */
  readonly exercised: string;
}

const cpe = (ours: string, exercised: string): Scenario => ({
  peer: "pppd",
  role: "PPPoE client",
  ours,
  exercised,
});
const lnsOf = (peer: PeerProgram, exercised: string): Scenario => ({
  peer,
  role: "LNS",
  ours: "LAC",
  exercised,
});
const clientOf = (exercised: string): Scenario => ({
  peer: "xl2tpd",
  role: "L2TP client",
  ours: "LNS",
  exercised,
});
const lacOf = (exercised: string): Scenario => ({ peer: "l2tpns", role: "LAC", ours: "LNS", exercised });
const SWITCH = "LTS (tunnel switch)";
const accessServer = (exercised: string): Scenario => ({
  peer: "pppoe-server",
  role: "access concentrator, with pppd",
  ours: "lacewing dial",
  exercised,
});

const LAC_AND_LNS = "LAC and LNS";
const PTA = "PTA";

export const SCENARIOS = {
  "pta-pap": cpe(PTA, "PAP; IPv4 address; 1492-octet packets both ways; the client hangs up"),
  "pta-chap": cpe(PTA, "CHAP with MD5; IPv4 address; 1492-octet packets both ways; the client hangs up"),
  "pta-ms-chap-v2": cpe(PTA, "MS-CHAPv2, our response to its challenge included; 1492-octet packets"),
  "pta-ms-chap-v2-refused": cpe(PTA, "MS-CHAPv2 with a wrong password: refused"),
  "pta-ipv6": cpe(PTA, "IPV6CP beside IPCP; IPv6 packets both ways between the negotiated addresses"),
  "pta-1500": cpe(PTA, "PPP-Max-Payload (RFC 4638); 1500-octet packets both ways, unfragmented"),
  "pta-vlan": cpe(PTA, "in one VLAN tag (802.1Q); 1492-octet packets both ways"),
  "pta-qinq": cpe(PTA, "in two tags (802.1ad over 802.1Q); 1492-octet packets both ways"),
  "pta-odd-options": cpe(
    PTA,
    "asks for multilink (MRRU) and an endpoint discriminator: rejected, and gets in",
  ),
  "pta-gateway-ends": cpe(PTA, "the gateway stops: the client is told by LCP Terminate-Request"),

  "lac-pap": cpe(LAC_AND_LNS, "PAP; 1492-octet packets both ways; the client hangs up"),
  "lac-chap": cpe(LAC_AND_LNS, "CHAP with MD5; 1492-octet packets both ways; the client hangs up"),
  "lac-ms-chap-v2": cpe(LAC_AND_LNS, "MS-CHAPv2, which no proxy AVP can carry: the LNS challenges anew"),
  "lac-wrong-password": cpe(LAC_AND_LNS, "CHAP with a wrong password: refused, and gone from both"),
  "lac-ipv6": cpe(LAC_AND_LNS, "IPV6CP through the bridge; IPv6 packets both ways, likewise"),
  "lac-1500": cpe(LAC_AND_LNS, "PPP-Max-Payload; 1500-octet packets both ways, fragmented outside only"),
  "lac-qinq": cpe(LAC_AND_LNS, "in two tags; 1492-octet packets both ways"),
  "lac-lns-ends": cpe(LAC_AND_LNS, "the LNS stops: the client is told by LCP Terminate-Request"),
  "lac-lac-ends": cpe(LAC_AND_LNS, "the LAC stops: the client is told by LCP Terminate-Request"),

  "xl2tpd-lns": lnsOf(
    "xl2tpd",
    "tunnel secret; CHAP anew; 1492-octet packets both ways; the client hangs up",
  ),
  "xl2tpd-lns-ends": lnsOf("xl2tpd", "the LNS ends the session: the client is told"),
  "xl2tpd-lns-hidden": lnsOf(
    "xl2tpd",
    "it opens the AVPs that we hide, no name goes in the clear; its own `hidden bit = yes` sends Random Vectors and hides nothing",
  ),
  "xl2tpd-lns-ms-chap-v2": lnsOf("xl2tpd", "the LNS asks for MS-CHAPv2 where the LAC took CHAP"),
  "xl2tpd-lns-window": lnsOf("xl2tpd", "eight calls at once through its receive window of 4"),
  "xl2tpd-lns-loss": lnsOf(
    "xl2tpd",
    "10 % loss and reordering each way: the call comes up by PAP, carries packets, and ends on both sides",
  ),

  "xl2tpd-client": clientOf("tunnel secret; CHAP; full-size packets both ways; the client hangs up"),
  "xl2tpd-client-told": clientOf("the LNS stops: the client is told by LCP and StopCCN"),
  "xl2tpd-client-hidden": clientOf("its `hidden bit = yes` (Random Vectors, nothing hidden); MS-CHAPv2"),
  "xl2tpd-client-odd-options": clientOf(
    "in user space, its pppd asks for an ACCM, PFC, ACFC, multilink, VJ compression, deflate and BSD-Compress: gets in, and packets pass",
  ),
  "xl2tpd-client-ipv6": clientOf("IPV6CP; IPv6 packets both ways between the negotiated addresses"),
  "xl2tpd-client-crowd": clientOf("four tunnels at once from one address and port"),
  "xl2tpd-client-loss": clientOf(
    "10 % loss and reordering each way: the call comes up by PAP, carries packets, and ends on both sides",
  ),

  "xl2tpd-switch-ours": {
    ...clientOf("its call goes on to an LNS of ours by realm; packets both ways; the client hangs up"),
    ours: `${SWITCH} and LNS`,
  },
  "xl2tpd-switch-theirs": {
    peer: "xl2tpd",
    role: "L2TP client and, behind us, LNS",
    ours: SWITCH,
    exercised:
      "its call goes on to the other xl2tpd, AVPs hidden there; packets both ways; the LNS ends the session",
  },

  "l2tpns-lns": lnsOf(
    "l2tpns",
    "tunnel secret; it negotiates LCP anew; PAP checked by its RADIUS; packets pass; hang-up",
  ),
  "l2tpns-lns-crowd": lnsOf("l2tpns", "twenty calls at once"),
  "l2tpns-lns-refuses": lnsOf(
    "l2tpns",
    "a wrong password: it says so by CDN alone; the subscriber gets PADT, and is gone from the LAC",
  ),
  "l2tpns-lac": lacOf("no FF03, no proxy AVPs: LCP and authentication at the LNS; packets pass; hang-up"),
  "l2tpns-lac-crowd": lacOf("twenty calls at once"),
  "l2tpns-lac-told": lacOf("the LNS stops: the subscriber is told"),

  "l2tpns-switch": {
    ...lacOf(
      "without proxy AVPs: the switch takes the name and sends the call on to an LNS of ours; packets pass",
    ),
    ours: `${SWITCH} and LNS`,
  },

  "dial-pap": accessServer("PAP; packets pass; hang-up"),
  "dial-chap": accessServer("CHAP with MD5; packets pass; hang-up"),
  "dial-ms-chap-v2": accessServer("MS-CHAPv2, the server's own response checked; packets pass; hang-up"),
  "dial-refused": accessServer("a wrong password: refused, with the reason told"),
  "dial-server-ends": accessServer("its pppd ends: the subscriber is told"),
} as const satisfies Record<string, Scenario>;

export type ScenarioId = keyof typeof SCENARIOS;
