/** Captures in the classic pcap file format, link type Ethernet. */

const MAGIC = 0xa1b2c3d4;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const LINKTYPE_ETHERNET = 1;
const SNAP_LENGTH = 262_144;

/** The frames of a capture, in either byte order. Throws on anything but whole Ethernet frames. */
export function readPcap(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const littleEndian = view.getUint32(0, true) === MAGIC;
  if (view.getUint32(0, littleEndian) !== MAGIC) throw new Error("not a pcap file with microseconds");
  if (view.getUint32(20, littleEndian) !== LINKTYPE_ETHERNET) throw new Error("not a capture of Ethernet");
  const frames: Uint8Array[] = [];
  let at = FILE_HEADER_BYTES;
  while (at < file.length) {
    const captured = view.getUint32(at + 8, littleEndian);
    if (captured !== view.getUint32(at + 12, littleEndian)) throw new Error("a frame was cut off");
    at += RECORD_HEADER_BYTES;
    if (at + captured > file.length) throw new Error("the capture ends inside a frame");
    frames.push(file.subarray(at, at + captured));
    at += captured;
  }
  return frames;
}

/** A capture of `frames`, one a millisecond. */
export function writePcap(frames: readonly Uint8Array[]): Uint8Array {
  const total = frames.reduce((sum, frame) => sum + RECORD_HEADER_BYTES + frame.length, FILE_HEADER_BYTES);
  const file = new Uint8Array(total);
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, SNAP_LENGTH);
  view.setUint32(20, LINKTYPE_ETHERNET);
  let at = FILE_HEADER_BYTES;
  frames.forEach((frame, milliseconds) => {
    view.setUint32(at, Math.floor(milliseconds / 1000));
    view.setUint32(at + 4, (milliseconds % 1000) * 1000);
    view.setUint32(at + 8, frame.length);
    view.setUint32(at + 12, frame.length);
    file.set(frame, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + frame.length;
  });
  return file;
}
