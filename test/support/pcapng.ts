/** Captures in the pcapng file format, read by the document alone: whole blocks of one section, either byte order. */

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

interface ReadInterface {
  readonly linkType: number;
  readonly snapBytes: number;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly filter: string | undefined;
}

interface ReadPacket {
  readonly interfaceId: number;
  readonly timeUs: number;
  readonly lengthBytes: number;
  readonly frame: Uint8Array;
  readonly direction: "in" | "out" | undefined;
}

interface ReadStatistics {
  readonly interfaceId: number;
  readonly received: number;
  readonly dropped: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly comment: string | undefined;
}

export interface ReadCapture {
  readonly application: string | undefined;
  readonly system: string | undefined;
  readonly comment: string | undefined;
  readonly interfaces: readonly ReadInterface[];
  readonly packets: readonly ReadPacket[];
  readonly statistics: readonly ReadStatistics[];
}

const SECTION = 0x0a0d0d0a;
const MAGIC = 0x1a2b3c4d;

/** Throws on anything that is not well-formed, and on interfaces whose times are not in microseconds. */
export function readPcapng(file: Uint8Array): ReadCapture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const little = view.getUint32(8, true) === MAGIC;
  if (view.getUint32(0, little) !== SECTION || view.getUint32(8, little) !== MAGIC)
    throw new Error("no section");
  const time = (at: number): number => view.getUint32(at, little) * 2 ** 32 + view.getUint32(at + 4, little);
  const options = (from: number, end: number): Option[] => {
    const found: Option[] = [];
    for (let at = from; at < end; ) {
      const code = view.getUint16(at, little);
      const length = view.getUint16(at + 2, little);
      if (code === 0) {
        if (length !== 0 || at + 4 !== end) throw new Error("options end in the middle");
        return found;
      }
      if (at + 4 + length > end) throw new Error("an option is longer than its block");
      found.push({ code, value: file.subarray(at + 4, at + 4 + length) });
      at += 4 + Math.ceil(length / 4) * 4;
    }
    if (found.length > 0) throw new Error("options without end");
    return found;
  };
  const capture = {
    application: undefined as string | undefined,
    system: undefined as string | undefined,
    comment: undefined as string | undefined,
    interfaces: [] as ReadInterface[],
    packets: [] as ReadPacket[],
    statistics: [] as ReadStatistics[],
  };
  for (let at = 0; at < file.length; ) {
    const type = view.getUint32(at, little);
    const total = view.getUint32(at + 4, little);
    const end = at + total - 4;
    if (total % 4 !== 0 || end + 4 > file.length || view.getUint32(end, little) !== total)
      throw new Error(`block ${type} at ${at} is not whole`);
    if (type === SECTION) {
      if (at !== 0) throw new Error("another section");
      const given = options(at + 24, end);
      Object.assign(capture, {
        comment: text(given, 1),
        system: text(given, 3),
        application: text(given, 4),
      });
    } else if (type === 1) {
      const given = options(at + 16, end);
      if (value(given, 9)?.[0] !== 6) throw new Error("times are not in microseconds");
      const filter = value(given, 11);
      capture.interfaces.push({
        linkType: view.getUint16(at + 8, little),
        snapBytes: view.getUint32(at + 12, little),
        name: text(given, 2),
        description: text(given, 3),
        filter: filter && new TextDecoder().decode(filter.subarray(1)),
      });
    } else if (type === 6) {
      const captured = view.getUint32(at + 20, little);
      const after = at + 28 + Math.ceil(captured / 4) * 4;
      const interfaceId = view.getUint32(at + 8, little);
      if (interfaceId >= capture.interfaces.length) throw new Error("a packet of no interface");
      const flags = value(options(after, end), 2);
      capture.packets.push({
        interfaceId,
        timeUs: time(at + 12),
        lengthBytes: view.getUint32(at + 24, little),
        frame: file.slice(at + 28, at + 28 + captured),
        direction: DIRECTIONS[flags === undefined ? 0 : (little ? flags[0]! : flags[3]!) & 3],
      });
    } else if (type === 5) {
      const given = options(at + 20, end);
      const at64 = (code: number): DataView => {
        const octets = value(given, code)!;
        return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
      };
      const count = (code: number): number => Number(at64(code).getBigUint64(0, little));
      const when = (code: number): number =>
        at64(code).getUint32(0, little) * 2 ** 32 + at64(code).getUint32(4, little);
      capture.statistics.push({
        interfaceId: view.getUint32(at + 8, little),
        startUs: when(2),
        endUs: when(3),
        received: count(4),
        dropped: count(5),
        comment: text(given, 1),
      });
    } else if (type !== 4) throw new Error(`block of unknown type ${type}`);
    at += total;
  }
  return capture;
}

const DIRECTIONS = [undefined, "in", "out"] as const;

function value(options: readonly Option[], code: number): Uint8Array | undefined {
  return options.find((option) => option.code === code)?.value;
}

function text(options: readonly Option[], code: number): string | undefined {
  const octets = value(options, code);
  return octets && new TextDecoder("utf-8", { fatal: true }).decode(octets);
}
