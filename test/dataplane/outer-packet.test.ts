import fc from "fast-check";
import { expect, it } from "vitest";
import { packetAround } from "../../src/dataplane/outer-packet.ts";
import { parseIpv4 } from "../../src/wire/ipv4.ts";
import { parseIpv6 } from "../../src/wire/ipv6.ts";
import { parseUdp } from "../../src/wire/udp.ts";

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const port = fc.integer({ min: 1, max: 0xffff });
const headers = fc.constantFrom(4, 16).chain((length) =>
  fc.record({
    source: octets(length),
    destination: octets(length),
    sourcePort: port,
    destinationPort: port,
    tos: fc.integer({ min: 0, max: 255 }),
  }),
);

it("what is written around a datagram is what the system would have sent", () => {
  fc.assert(
    fc.property(headers, fc.uint8Array({ maxLength: 80 }), (said, payload) => {
      const packet = packetAround(payload, said, true);
      const ipv4 = said.source.length === 4;
      const around = ipv4 ? parseIpv4(packet)! : parseIpv6(packet)!;
      const { sourcePort, destinationPort, source, destination, tos } = said;
      expect(around).toMatchObject({ source, destination, [ipv4 ? "tos" : "trafficClass"]: tos });
      expect(parseUdp(around.payload, source, destination)).toEqual({
        source,
        destination,
        sourcePort,
        destinationPort,
        payload,
      });
      // a sum of zero is not "none"
      expect(around.payload.slice(6, 8)).not.toEqual(new Uint8Array(2));
    }),
  );
});

it("a datagram that was sent without a checksum has none", () => {
  const source = Uint8Array.of(192, 0, 2, 1);
  const destination = Uint8Array.of(192, 0, 2, 2);
  const said = { source, destination, sourcePort: 1701, destinationPort: 1701, tos: 0 };
  expect(packetAround(Uint8Array.of(1, 2, 3), said, false).slice(26, 28)).toEqual(new Uint8Array(2));
});
