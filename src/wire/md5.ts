/**
 * MD5 (RFC 1321) of a few octets. A hash object of the system costs ten times as much as the hash of one or two
 * blocks, and a message whose AVPs are hidden has dozens of them (RFC 2661 §4.3).
 */

const BLOCK_BYTES = 64;
/** Where the length stands in the last block. */
const LENGTH_AT = 56;

/** §3.4: the integer part of 2³² times abs(sin(i)). */
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))));
/** Rotations of the four rounds. */
const ROTATIONS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21] as const;

const words = new Int32Array(16);
const state = new Int32Array(4);
let message = new Uint8Array(4 * BLOCK_BYTES);

/** The digest, sixteen octets, of the parts one behind the other. */
export function md5(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const blocks = Math.floor((length + 8) / BLOCK_BYTES) + 1;
  const padded = blocks * BLOCK_BYTES;
  if (message.length < padded) message = new Uint8Array(2 * padded);
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  message.fill(0, length, padded);
  message[length] = 0x80;
  const lengthAt = padded - BLOCK_BYTES + LENGTH_AT;
  writeWord(message, lengthAt, length << 3);
  writeWord(message, lengthAt + 4, Math.floor(length / 2 ** 29));
  state.set([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  for (let block = 0; block < padded; block += BLOCK_BYTES) digestBlock(message, block);
  const digest = new Uint8Array(16);
  for (let i = 0; i < 4; i++) writeWord(digest, 4 * i, state[i]!);
  // what was hashed has a secret in it
  message.fill(0, 0, padded);
  words.fill(0);
  return digest;
}

function digestBlock(bytes: Uint8Array, start: number): void {
  for (let i = 0; i < 16; i++) {
    const at = start + 4 * i;
    words[i] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  for (let i = 0; i < 64; i++) {
    let f: number;
    let word: number;
    if (i < 16) {
      f = (b & c) | (~b & d);
      word = i;
    } else if (i < 32) {
      f = (d & b) | (~d & c);
      word = 5 * i + 1;
    } else if (i < 48) {
      f = b ^ c ^ d;
      word = 3 * i + 5;
    } else {
      f = c ^ (b | ~d);
      word = 7 * i;
    }
    const sum = (a + f + SINES[i]! + words[word & 15]!) | 0;
    const rotation = ROTATIONS[((i >> 4) << 2) | (i & 3)]!;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << rotation) | (sum >>> (32 - rotation)))) | 0;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
}

/** Least significant octet first. */
function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}
