import { ACK, CWR, IPV6, PSH, SEGMENT, unfinished } from "../dataplane/super-segments.ts";

const payload = new Uint8Array(300).fill(7);
const udp = { udp: true, options: new Uint8Array(0) };

/** What the host hands over: vnet headers and packets, whose checksums and segments are left to us. */
export const SUPER_SEGMENTS: readonly Uint8Array[] = [{}, IPV6].flatMap((family) => {
  const segment = { ...SEGMENT, ...family, flags: ACK | PSH | CWR, payload };
  return [
    unfinished(segment, 100),
    unfinished(segment, 0),
    unfinished({ ...segment, ...udp }, 128),
    unfinished({ ...segment, ...udp }, 0),
  ];
});
