/**
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a keyed hash of 64 bits, made for short
 * messages that must not be forged within their short life. For two dozen octets it costs a tenth of an HMAC's call
 * into the system's library.
 *
 * The four words of 64 bits are kept as halves of 32: BigInt would cost more than the hash.
 */

/** Octets of a key. */
export const SIPHASH_KEY_BYTES = 16;
/** Octets of the hash, in the paper's order: the least significant one first. */
export const SIPHASH_BYTES = 8;

const BLOCK_BYTES = 8;
const COMPRESSION_ROUNDS = 2;
const FINALIZATION_ROUNDS = 4;

/** Little-endian; octets at and after `end` are zeroes. */
function word(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = 0; i < 4 && at + i < end; i++) value |= bytes[at + i]! << (8 * i);
  return value;
}

function carry(sum: number, addend: number): number {
  return sum >>> 0 < addend >>> 0 ? 1 : 0;
}

/** Writes the hash of `message` under `key` (16 octets) to `out` at `offset`. */
export function sipHash(key: Uint8Array, message: Uint8Array, out: Uint8Array, offset: number): void {
  const [k0, k1, k2, k3] = [word(key, 0, 4), word(key, 4, 8), word(key, 8, 12), word(key, 12, 16)];
  // "somepseudorandomlygeneratedbytes"
  let [v0, w0] = [k0 ^ 0x70736575, k1 ^ 0x736f6d65];
  let [v1, w1] = [k2 ^ 0x6e646f6d, k3 ^ 0x646f7261];
  let [v2, w2] = [k0 ^ 0x6e657261, k1 ^ 0x6c796765];
  let [v3, w3] = [k2 ^ 0x79746573, k3 ^ 0x74656462];
  const { length } = message;
  const last = length - (length % BLOCK_BYTES);
  // every block, the last with the length in its highest octet, and then the finalization
  for (let at = 0; at <= last + BLOCK_BYTES; at += BLOCK_BYTES) {
    const finalizing = at > last;
    const low = finalizing ? 0 : word(message, at, length);
    const high = finalizing ? 0 : word(message, at + 4, length) | (at === last ? length << 24 : 0);
    if (finalizing) v2 ^= 0xff;
    v3 ^= low;
    w3 ^= high;
    for (let round = finalizing ? FINALIZATION_ROUNDS : COMPRESSION_ROUNDS; round > 0; round--) {
      // v: low halves, w: high halves, of the paper's v0 to v3
      v0 = (v0 + v1) | 0;
      w0 = (w0 + w1 + carry(v0, v1)) | 0;
      v2 = (v2 + v3) | 0;
      w2 = (w2 + w3 + carry(v2, v3)) | 0;
      let half = v1;
      v1 = ((v1 << 13) | (w1 >>> 19)) ^ v0;
      w1 = ((w1 << 13) | (half >>> 19)) ^ w0;
      half = v3;
      v3 = ((v3 << 16) | (w3 >>> 16)) ^ v2;
      w3 = ((w3 << 16) | (half >>> 16)) ^ w2;
      half = v0;
      v0 = w0;
      w0 = half;
      v2 = (v2 + v1) | 0;
      w2 = (w2 + w1 + carry(v2, v1)) | 0;
      v0 = (v0 + v3) | 0;
      w0 = (w0 + w3 + carry(v0, v3)) | 0;
      half = v1;
      v1 = ((v1 << 17) | (w1 >>> 15)) ^ v2;
      w1 = ((w1 << 17) | (half >>> 15)) ^ w2;
      half = v3;
      v3 = ((v3 << 21) | (w3 >>> 11)) ^ v0;
      w3 = ((w3 << 21) | (half >>> 11)) ^ w0;
      half = v2;
      v2 = w2;
      w2 = half;
    }
    v0 ^= low;
    w0 ^= high;
  }
  const [a, b] = [v0 ^ v1 ^ v2 ^ v3, w0 ^ w1 ^ w2 ^ w3];
  for (let i = 0; i < 4; i++) {
    out[offset + i] = a >>> (8 * i);
    out[offset + 4 + i] = b >>> (8 * i);
  }
}
