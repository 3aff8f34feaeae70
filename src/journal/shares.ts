/** Shares that are counted: who has the same one as somebody else of so many has less. A power of two. */
const SLOTS = 4096;
const SLOT_BITS = 12;
/** A set-up with all its retransmissions has a twentieth of it. */
const BURST_BYTES = 65_536;
const BYTES_PER_SECOND = 1024;

/**
 * What everybody may write at once and in the long run, so that one subscriber who talks without end does not overwrite
 * what is known of all others. Subjects are not held: each falls on one of a fixed number of buckets.
 */
export class Shares {
  readonly #left = new Float64Array(SLOTS).fill(BURST_BYTES);
  readonly #at = new Float64Array(SLOTS);

  /** Whether there is room for so many octets of whom `key`, a whole number, stands for; then they are taken. */
  take(key: number, octets: number, now: number): boolean {
    const slot = Math.imul(key, 0x9e3779b1) >>> (32 - SLOT_BITS);
    const elapsed = Math.max(0, now - this.#at[slot]!);
    const left = Math.min(BURST_BYTES, this.#left[slot]! + (elapsed * BYTES_PER_SECOND) / 1000);
    this.#at[slot] = now;
    const fits = octets <= left;
    this.#left[slot] = fits ? left - octets : left;
    return fits;
  }
}
