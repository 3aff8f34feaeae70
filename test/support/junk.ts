/** What should never arrive: frames that are cut off, too long, empty, of a wrong version, or random. Reproducible. */

import { concatBytes } from "../../src/base/bytes.ts";
import type { RandomSource } from "../../src/base/random.ts";
import {
  BROADCAST_MAC,
  ETHERTYPE_PPPOE_DISCOVERY,
  ETHERTYPE_PPPOE_SESSION,
  emitEthernet,
} from "../../src/wire/ethernet.ts";
import { emitPpp, PPP_CHAP, PPP_IPCP, PPP_IPV6, PPP_IPV6CP, PPP_LCP, PPP_PAP } from "../../src/wire/ppp.ts";
import { emitControlPacket } from "../../src/wire/ppp-control.ts";
import { datagramFrame } from "./frames.ts";
import { seededRandom } from "./seeded-random.ts";

/** Of each kind so many. */
const PER_KIND = 40;
const PPPOE_CODES = [0x00, 0x07, 0x09, 0x19, 0x65, 0xa7, 0xff];

interface Stations {
  /** MAC addresses: the receiver, and the sender. */
  readonly to: Uint8Array;
  readonly from: Uint8Array;
}

/** The header of a PPPoE packet that may lie about everything. */
function pppoe(
  version: number,
  code: number,
  sessionId: number,
  length: number,
  payload: Uint8Array,
): Uint8Array {
  return concatBytes(Uint8Array.of(version, code, sessionId >>> 8, sessionId, length >>> 8, length), payload);
}

/** On both EtherTypes, under no, one or two tags. `session`: one that is open, of `from`. */
export function accessJunk({ to, from }: Stations, session: number): Uint8Array[] {
  const random = seededRandom(1);
  const upTo = (n: number): number => random.uint32() % n;
  const stranger = (): Uint8Array => concatBytes(Uint8Array.of(0x02, 0x66), random.bytes(4));
  const tags = (): { tpid: number; tci: number }[] =>
    [
      { tpid: 0x88a8, tci: upTo(0x1000) },
      { tpid: 0x8100, tci: upTo(0x1000) },
    ].slice(upTo(3));
  const frame = (etherType: number, payload: Uint8Array, source = stranger(), destination = to): Uint8Array =>
    emitEthernet({ destination, source, tags: tags(), etherType, payload });
  const kinds: (() => Uint8Array)[] = [];
  for (const etherType of [ETHERTYPE_PPPOE_DISCOVERY, ETHERTYPE_PPPOE_SESSION]) {
    const code = (): number =>
      etherType === ETHERTYPE_PPPOE_SESSION ? 0 : PPPOE_CODES[upTo(PPPOE_CODES.length)]!;
    kinds.push(
      () => frame(etherType, new Uint8Array(0)),
      () => frame(etherType, random.bytes(upTo(6))),
      () => frame(etherType, random.bytes(6 + upTo(1480))),
      () => frame(etherType, pppoe(0x11, code(), 0, 0, new Uint8Array(0)), stranger(), BROADCAST_MAC),
      () => frame(etherType, pppoe(0x11, code(), upTo(0x10000), 0xffff, random.bytes(upTo(100)))),
      () => frame(etherType, pppoe(0x11, code(), upTo(0x10000), 1000, random.bytes(1000))),
      () => frame(etherType, pppoe(upTo(0x100), code(), upTo(0x10000), 20, random.bytes(20))),
      () => frame(etherType, pppoe(0x11, upTo(0x100), upTo(0x10000), 20, random.bytes(20)), BROADCAST_MAC),
    );
  }
  const ppp = emitPpp(0x0021, new Uint8Array(40));
  const sessionType = ETHERTYPE_PPPOE_SESSION;
  kinds.push(
    // the id of somebody else's session
    () => frame(sessionType, pppoe(0x11, 0, session, ppp.length, ppp)),
    // his own, cut off, of a wrong version, without PPP in it
    () =>
      emitEthernet({
        destination: to,
        source: from,
        tags: [],
        etherType: sessionType,
        payload: pppoe(0x11, 0, session, 1000, ppp),
      }),
    () =>
      emitEthernet({
        destination: to,
        source: from,
        tags: [],
        etherType: sessionType,
        payload: pppoe(0x21, 0, session, ppp.length, ppp),
      }),
    () =>
      emitEthernet({
        destination: to,
        source: from,
        tags: [],
        etherType: sessionType,
        payload: pppoe(0x11, 0, session, 0, ppp),
      }),
    () =>
      emitEthernet({
        destination: to,
        source: from,
        tags: [],
        etherType: sessionType,
        payload: pppoe(0x11, 0, session, 1, ppp),
      }),
    // IPv4 that is none
    () =>
      emitEthernet({
        destination: to,
        source: from,
        tags: [],
        etherType: sessionType,
        payload: pppoe(0x11, 0, session, 42, emitPpp(0x0021, random.bytes(40))),
      }),
  );
  return mixed(kinds, random);
}

/** PPP frames of every protocol that we speak and of some that we do not, with nothing sensible in them. */
export function pppJunk(): Uint8Array[] {
  const random = seededRandom(3);
  const upTo = (n: number): number => random.uint32() % n;
  const protocols = [PPP_LCP, PPP_PAP, PPP_CHAP, PPP_IPCP, PPP_IPV6CP, PPP_IPV6, 0x80fd, 0x4021];
  const kinds = protocols.flatMap((protocol) => [
    () => emitPpp(protocol, new Uint8Array(0)),
    () => emitPpp(protocol, random.bytes(upTo(200))),
    // a code and a length that are right, and what follows is not
    () => {
      const data = random.bytes(upTo(60));
      return emitPpp(protocol, emitControlPacket({ code: 1 + upTo(12), identifier: upTo(256), data }));
    },
  ]);
  return mixed(
    [...kinds, () => new Uint8Array(0), () => random.bytes(1), () => random.bytes(upTo(1400))],
    random,
  );
}

/** On UDP port 1701. The ids are of a session that is open between the two addresses. */
export function l2tpJunk(
  { to, from }: Stations,
  addresses: { readonly to: string; readonly from: string },
  open: { readonly tunnel: number; readonly session: number },
): Uint8Array[] {
  const random = seededRandom(2);
  const upTo = (n: number): number => random.uint32() % n;
  const u16 = (...values: number[]): Uint8Array =>
    Uint8Array.from(values.flatMap((value) => [value >>> 8, value & 0xff]));
  const datagram = (payload: Uint8Array, source = addresses.from, sourcePort = 1701): Uint8Array =>
    datagramFrame(
      { to, from },
      { source, sourcePort, destination: addresses.to, destinationPort: 1701, payload },
    );
  const stranger = (): string => addresses.from.replace(/\d+$/, String(100 + upTo(100)));
  const ppp = emitPpp(0x0021, new Uint8Array(40));
  const control = (tunnel: number, ns: number, body: Uint8Array): Uint8Array =>
    concatBytes(u16(0xc802, 12 + body.length, tunnel, 0, ns, 0), body);
  return mixed(
    [
      () => datagram(new Uint8Array(0)),
      () => datagram(random.bytes(1 + upTo(11))),
      () => datagram(random.bytes(upTo(1400)), stranger(), 1024 + upTo(60_000)),
      // data: wrong version, length beyond the end or too short, offset beyond the end, unknown tunnel, unknown session, another sender, nothing in it
      () => datagram(concatBytes(u16(0x0003, open.tunnel, open.session), ppp)),
      () => datagram(concatBytes(u16(0x4002, 0xffff, open.tunnel, open.session), ppp)),
      () => datagram(concatBytes(u16(0x4002, 4, open.tunnel, open.session), ppp)),
      () => datagram(concatBytes(u16(0x0202, open.tunnel, open.session, 0xffff), ppp)),
      () => datagram(concatBytes(u16(0x0002, upTo(0x10000), upTo(0x10000)), ppp)),
      () => datagram(concatBytes(u16(0x0002, open.tunnel, open.session ^ (1 + upTo(0xffff))), ppp)),
      () => datagram(concatBytes(u16(0x0002, open.tunnel, open.session), ppp), stranger()),
      () => datagram(concatBytes(u16(0x0002, open.tunnel, open.session), ppp), addresses.from, 1702),
      () => datagram(u16(0x0002, open.tunnel, open.session)),
      () => datagram(u16(0x0002, open.tunnel)),
      // control: from another sender, far outside the window, to no tunnel, with AVPs that are none
      () => datagram(control(open.tunnel, upTo(0x10000), random.bytes(40)), stranger()),
      () => datagram(control(open.tunnel, 0x4000 + upTo(0x4000), random.bytes(40))),
      () =>
        datagram(
          control(1 + upTo(0xffff) === open.tunnel ? 0 : upTo(0x10000), 0, random.bytes(40)),
          stranger(),
        ),
      () => datagram(control(0, 0, random.bytes(upTo(200))), stranger()),
      () => datagram(control(0, 0, u16(0x8008, 0, 0, 1)), stranger()),
    ],
    random,
  );
}

function mixed(kinds: readonly (() => Uint8Array)[], random: RandomSource): Uint8Array[] {
  const frames = Array.from({ length: PER_KIND }, () => kinds.map((make) => make())).flat();
  for (let i = frames.length - 1; i > 0; i--) {
    const j = random.uint32() % (i + 1);
    [frames[i], frames[j]] = [frames[j]!, frames[i]!];
  }
  return frames;
}
