/**
 * The range coder: turns (start, frequency) intervals into bits, and bits back into bytes.
 *
 * Arithmetic is in doubles that hold integers below 2^53 at every point, so it is exact on every machine: a 48-bit
 * range gives each step 2^10 or more units per count of the 2^22 total, which makes the loss against the ideal code
 * length negligible (docs/CODER.md) and leaves room for a carry. JavaScript's 32-bit integers would not.
 *
 * Between symbols 2^32 < range <= 2^48. The code is a number in [0, 1) written in 16-bit words, high byte first;
 * `low` is what is left of its lower bound after the words already written. Adding to low may carry into those words.
 */

import { FREQUENCY_TOTAL, SYMBOLS } from "../contract/frequency.ts";
import { CorruptDataError, type CorruptReason, IntervalError } from "./errors.ts";

const WORD = 2 ** 16;
const RANGE_MIN = 2 ** 32;
const RANGE_MAX = 2 ** 48;
/** A power of two, so multiplying by it is exact and cheaper than dividing. */
const PER_TOTAL = 1 / FREQUENCY_TOTAL;
const PER_TOP = 1 / RANGE_MIN;

/** Bytes that the encoder has not yet written when it finishes, and of which it may leave out trailing zeros. */
const TAIL_BYTES = 6;
const CAPACITY_INITIAL_BYTES = 1024;

/** Writes one stream of coded symbols. Memory: the coded bytes, at most doubled. */
export class RangeEncoder {
  #low = 0;
  #range = RANGE_MAX;
  #bytes = new Uint8Array(CAPACITY_INITIAL_BYTES);
  #length = 0;

  /** Bytes written so far; up to 6 more follow in `finish`. */
  get lengthBytes(): number {
    return this.#length;
  }

  /**
   * Codes the symbol that owns [start, start + frequency) of FREQUENCY_TOTAL.
   *
   * @throws IntervalError if the interval is empty or reaches beyond the total
   */
  encode(start: number, frequency: number): void {
    if (!(frequency > 0 && start + frequency <= FREQUENCY_TOTAL)) throw new IntervalError(start, frequency);
    const unit = Math.floor(this.#range * PER_TOTAL);
    // Below 2^48 + 2^48, before the carry is taken off.
    let low = this.#low + start * unit;
    let range = frequency * unit;
    if (low >= RANGE_MAX) {
      low -= RANGE_MAX;
      this.#carry();
    }
    while (range <= RANGE_MIN) {
      const word = Math.floor(low * PER_TOP);
      this.#writeWord(word);
      low = (low - word * RANGE_MIN) * WORD;
      range *= WORD;
    }
    this.#low = low;
    this.#range = range;
  }

  /** Codes `count` (start, frequency) pairs that lie one after another from `first`, counted in pairs. */
  encodeRun(intervals: Uint32Array, first: number, count: number): void {
    for (let i = 2 * first; i < 2 * (first + count); i += 2) {
      this.encode(intervals[i] as number, intervals[i + 1] as number);
    }
  }

  /**
   * Ends the stream and returns its bytes (a copy of its own). Of all numbers in [low, low + range) it writes the one
   * with most trailing zeros, without them: the decoder reads zeros after the end. The encoder is spent afterwards.
   */
  finish(): Uint8Array {
    // The largest power of two that has a multiple in the interval; range > 2^32, so at most two bytes remain.
    let grain = RANGE_MAX;
    let code = Math.ceil(this.#low / grain) * grain;
    while (code >= this.#low + this.#range) {
      grain /= 2;
      code = Math.ceil(this.#low / grain) * grain;
    }
    if (code >= RANGE_MAX) {
      code -= RANGE_MAX;
      this.#carry();
    }
    while (code > 0) {
      const word = Math.floor(code * PER_TOP);
      this.#writeWord(word);
      code = (code - word * RANGE_MIN) * WORD;
      // Only a byte of the tail may be left out: the decoder takes more missing bytes than that for a truncation.
      if (code === 0 && word % 256 === 0) this.#length -= 1;
    }
    return this.#bytes.slice(0, this.#length);
  }

  #writeWord(word: number): void {
    if (this.#length + 2 > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length] = word >>> 8;
    this.#bytes[this.#length + 1] = word & 255;
    this.#length += 2;
  }

  /** Adds one to the number written so far. The code stays below 1, so the walk ends inside the bytes. */
  #carry(): void {
    let i = this.#length - 1;
    while (this.#bytes[i] === 255) {
      this.#bytes[i] = 0;
      i -= 1;
    }
    this.#bytes[i] = (this.#bytes[i] as number) + 1;
  }
}

/**
 * Reads one stream of coded symbols.
 *
 * Safe on any bytes: each symbol costs a bounded amount of work, nothing is read out of bounds and nothing allocated.
 * Damage is noticed when a value belongs to no byte, when the data end early, or in `finish`; damage that yields
 * other legal symbols is for the archive's checksum to find.
 */
export class RangeDecoder {
  /** The code minus the encoder's low: always below range for data that an encoder wrote. */
  #offset = 0;
  #range = RANGE_MAX;
  #position = 0;
  readonly #bytes: Uint8Array;
  readonly #group: number | undefined;

  /** @param group named in errors only */
  constructor(bytes: Uint8Array, group?: number) {
    this.#bytes = bytes;
    this.#group = group;
    for (let i = 0; i < 3; i += 1) this.#offset = this.#offset * WORD + this.#readWord();
  }

  /**
   * Decodes the next byte by its table of cumulative frequencies, which lies at ends[table] to ends[table + 255].
   *
   * @throws CorruptDataError
   */
  decode(ends: Uint32Array, table: number): number {
    const unit = Math.floor(this.#range * PER_TOTAL);
    // Floor of the double quotient is the exact quotient: it could only be too large if rounding carried a/b up to
    // the next integer n. Then n - a/b >= 1/b, while rounding moves by at most n * 2^-53; but n * b <= a + b < 2^49.
    const value = Math.floor(this.#offset / unit);
    let symbol = 0;
    for (let half = SYMBOLS >> 1; half > 0; half >>= 1) {
      if ((ends[table + symbol + half - 1] as number) <= value) symbol += half;
    }
    const end = ends[table + symbol] as number;
    const start = symbol === 0 ? 0 : (ends[table + symbol - 1] as number);
    // The second half is always true of a proper table; checked so that no table can break what follows.
    if (value >= end || value < start || end > FREQUENCY_TOTAL) throw this.#corrupt("value-outside-table");
    let offset = this.#offset - start * unit;
    let range = (end - start) * unit;
    while (range <= RANGE_MIN) {
      offset = offset * WORD + this.#readWord();
      range *= WORD;
    }
    this.#offset = offset;
    this.#range = range;
    return symbol;
  }

  /** Checks that the last symbol used up the bytes, neither more nor fewer. @throws CorruptDataError */
  finish(): void {
    if (this.#position < this.#bytes.length) throw this.#corrupt("data-too-long");
  }

  #readWord(): number {
    const at = this.#position;
    const bytes = this.#bytes;
    this.#position = at + 2;
    if (at + 1 < bytes.length) return (bytes[at] as number) * 256 + (bytes[at + 1] as number);
    if (at + 2 > bytes.length + TAIL_BYTES) throw this.#corrupt("data-too-short");
    return at < bytes.length ? (bytes[at] as number) * 256 : 0;
  }

  #corrupt(reason: CorruptReason): CorruptDataError {
    return new CorruptDataError(reason, this.#group, this.#position);
  }
}
