/**
 * A channel's state in one word, so that it changes with one store:
 *
 *    31          22 21                      2 1   0
 *   +--------------+-------------------------+-----+
 *   |  generation  |          index          |state|
 *   +--------------+-------------------------+-----+
 *
 * `index` is the other end of a bridge, or the attachment. The generation goes up when the channel is added,
 * bridged, unbridged and closed, and is never reset: a punt that carries its word can be told apart from what
 * the channel is when the punt is read.
 */

export const CLOSED = 0;
export const PUNTED = 1;
export const BRIDGED = 2;
export const ATTACHED = 3;

const STATE_MASK = 3;
const INDEX_SHIFT = 2;
const INDEX_BITS = 20;
const INDEX_MASK = (1 << INDEX_BITS) - 1;
const GENERATION_SHIFT = INDEX_SHIFT + INDEX_BITS;
const GENERATION_MASK = (1 << (32 - GENERATION_SHIFT)) - 1;

/** The largest index, and so the largest channel id. */
export const INDEX_MAX = INDEX_MASK;

export function stateOf(word: number): number {
  return word & STATE_MASK;
}

export function indexOf(word: number): number {
  return (word >>> INDEX_SHIFT) & INDEX_MASK;
}

export function generationOf(word: number): number {
  return word >>> GENERATION_SHIFT;
}

/** `word` with another state in the same generation. */
export function withState(word: number, state: number, index: number): number {
  return ((word >>> GENERATION_SHIFT) << GENERATION_SHIFT) | (index << INDEX_SHIFT) | state;
}

/** The word of the next generation. */
export function nextGeneration(word: number, state: number, index: number): number {
  const generation = (generationOf(word) + 1) & GENERATION_MASK;
  return (generation << GENERATION_SHIFT) | (index << INDEX_SHIFT) | state;
}

/** Whether `later` is of the generation after that of `earlier`. */
export function isNextGeneration(earlier: number, later: number): boolean {
  return generationOf(later) === ((generationOf(earlier) + 1) & GENERATION_MASK);
}
