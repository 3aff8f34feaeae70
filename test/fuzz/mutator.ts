import type { Dice } from "./dice.ts";
import { MAX_INPUT_BYTES, type Sample } from "./sample.ts";

/** Where the input begins in its buffer: a codec that forgets `byteOffset` reads the poison before it. */
const HEADROOM = 64;
const POISON = 0xa5;

/** What lengths, counts and ids go wrong at. */
const BORDERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0b, 0x0c, 0x3f, 0x40, 0x7f, 0x80, 0xfe, 0xff];
const WIDE_BORDERS = [0, 1, 5, 6, 0x3ff, 0x400, 0x7fff, 0x8000, 0xc000, 0xfffe, 0xffff];

/**
 * Makes inputs out of samples: octets, lengths and flags changed, elements cut off, repeated, removed and exchanged,
 * two samples spliced, now and then nothing but random octets. What it makes depends on the dice alone.
 */
export class Mutator {
  readonly #samples: readonly Sample[];
  readonly #buffer = new Uint8Array(HEADROOM + MAX_INPUT_BYTES + HEADROOM).fill(POISON);
  /** Views of every length, made once. */
  readonly #views: (Uint8Array | undefined)[] = [];
  #length = 0;

  constructor(samples: readonly Sample[]) {
    if (samples.length === 0) throw new Error("nothing to mutate");
    this.#samples = samples;
  }

  /** The next input: a view that the next call overwrites. */
  next(dice: Dice): Uint8Array {
    const kind = dice.below(32);
    if (kind === 0) this.#random(dice);
    else {
      const sample = dice.pick(this.#samples);
      this.#take(sample.bytes);
      if (kind < 5) this.#splice(dice, sample);
      // one in eleven is left as it is: states behind it are reached
      for (let count = dice.below(kind < 4 ? 2 : 5); count > 0; count--) this.#mutate(dice, sample);
    }
    return this.#view();
  }

  /** Mutates what somebody else made. */
  of(dice: Dice, bytes: Uint8Array): Uint8Array {
    this.#take(bytes.length > MAX_INPUT_BYTES ? bytes.subarray(0, MAX_INPUT_BYTES) : bytes);
    for (let count = 1 + dice.below(3); count > 0; count--) this.#mutate(dice, UNMARKED);
    return this.#view();
  }

  #take(bytes: Uint8Array): void {
    this.#buffer.set(bytes, HEADROOM);
    this.#setLength(bytes.length);
  }

  #view(): Uint8Array {
    this.#views[this.#length] ??= this.#buffer.subarray(HEADROOM, HEADROOM + this.#length);
    return this.#views[this.#length]!;
  }

  #setLength(length: number): void {
    this.#length = length < 0 ? 0 : length > MAX_INPUT_BYTES ? MAX_INPUT_BYTES : length;
    this.#buffer.fill(POISON, HEADROOM + this.#length, HEADROOM + this.#length + 8);
  }

  #random(dice: Dice): void {
    const length = dice.chance(90) ? dice.below(48) : dice.below(1500);
    for (let i = 0; i < length; i++) this.#buffer[HEADROOM + i] = dice.uint32();
    this.#setLength(length);
  }

  /** The beginning of this one and the end of another, both mostly whole elements. */
  #splice(dice: Dice, { marks }: Sample): void {
    const other = dice.pick(this.#samples);
    const from = dice.chance(80) ? dice.pick(other.marks) : dice.below(other.bytes.length);
    const at = Math.min(this.#length, dice.chance(80) ? dice.pick(marks) : dice.below(this.#length));
    const tail = other.bytes.subarray(from, from + MAX_INPUT_BYTES - at);
    this.#buffer.set(tail, HEADROOM + at);
    this.#setLength(at + tail.length);
  }

  /** An offset in the input: near the beginning of an element, or anywhere. */
  #somewhere(dice: Dice, { marks }: Sample): number {
    const at = dice.chance(60) ? dice.pick(marks) + dice.below(8) : dice.below(this.#length);
    return at < this.#length ? at : dice.below(this.#length);
  }

  #mutate(dice: Dice, sample: Sample): void {
    const buffer = this.#buffer;
    const length = this.#length;
    const place = this.#somewhere(dice, sample);
    const at = HEADROOM + place;
    const kind = dice.below(16);
    if (length === 0 || kind === 0) {
      // octets behind the end: padding, or the beginning of something
      const more = 1 + dice.below(16);
      const room = Math.min(more, MAX_INPUT_BYTES - length);
      for (let i = 0; i < room; i++) buffer[HEADROOM + length + i] = dice.chance(50) ? 0 : dice.uint32();
      this.#setLength(length + room);
    } else if (kind <= 2) buffer[at] = dice.uint32();
    else if (kind <= 4) buffer[at] = buffer[at]! ^ (1 << dice.below(8));
    else if (kind <= 6) buffer[at] = dice.pick(BORDERS);
    else if (kind <= 8) buffer[at] = buffer[at]! + dice.below(9) - 4;
    else if (kind === 9) this.#setU16(place, dice.pick(WIDE_BORDERS));
    else if (kind === 10) this.#setU16(place, length - place + dice.below(5) - 2);
    else if (kind <= 12) this.#setLength(place);
    else if (kind === 13) this.#remove(place, 1 + dice.below(dice.chance(70) ? 8 : length));
    else if (kind === 14) this.#repeat(place, 1 + dice.below(dice.chance(70) ? 12 : length));
    else this.#fill(dice, place, 1 + dice.below(16));
  }

  #setU16(place: number, value: number): void {
    this.#buffer[HEADROOM + place] = value >>> 8;
    if (place + 1 < this.#length) this.#buffer[HEADROOM + place + 1] = value;
  }

  #remove(place: number, count: number): void {
    const kept = Math.min(this.#length, place + count);
    this.#buffer.copyWithin(HEADROOM + place, HEADROOM + kept, HEADROOM + this.#length);
    this.#setLength(this.#length - (kept - place));
  }

  /** Octets twice: an element that may be there once. */
  #repeat(place: number, count: number): void {
    const whole = Math.min(count, this.#length - place, MAX_INPUT_BYTES - this.#length);
    const from = HEADROOM + place;
    this.#buffer.copyWithin(from + whole, from, HEADROOM + this.#length);
    this.#setLength(this.#length + whole);
  }

  #fill(dice: Dice, place: number, count: number): void {
    const value = dice.pick(BORDERS);
    const end = Math.min(this.#length, place + count);
    this.#buffer.fill(value, HEADROOM + place, HEADROOM + end);
  }
}

const UNMARKED: Sample = { bytes: new Uint8Array(0), marks: [0] };
