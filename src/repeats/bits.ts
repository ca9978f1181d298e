/**
 * A binary range coder with adaptive bits, for the small lists that stand beside the network's bytes (the copies of a
 * block). The coder in src/coder takes tables of 256 frequencies from an engine; here every number is spelled in bits,
 * and a bit's probability is what the same place showed before, as in LZMA.
 *
 * Exact everywhere: all values are integers; `low` is a double that holds an integer below 2^33, and the rest fits in
 * 32 bits. The code is a number in [0, 1) written byte by byte; adding to low may carry into the bytes already written.
 */
import { CorruptError } from "../archive/errors.ts";

const TOP = 2 ** 24;
const ONE = 2 ** 32;
/** Probabilities are in 2^16ths, and stay this far from certainty, so that a bit always has a part of the range. */
const CERTAIN = 65536;
const MARGIN = 48;
/** A bit that was seen n times moves by 1 / (n + 1.5), until n reaches this: fast at first, steady later. */
const COUNT_MAX = 60;
const RATES = Uint32Array.from({ length: COUNT_MAX + 1 }, (_, n) => Math.floor((2 * CERTAIN) / (2 * n + 3)));

/** Bytes that the decoder takes in advance; the encoder may leave out as many zeros at the end. */
const TAIL_BYTES = 4;
const CAPACITY_INITIAL_BYTES = 256;

/** What a set of adaptive bits has learned: entry i is how likely bit i is 1, and how often it was seen. */
export class BitModels {
  readonly #ones: Uint16Array;
  readonly #seen: Uint8Array;

  constructor(count: number) {
    this.#ones = new Uint16Array(count).fill(CERTAIN / 2);
    this.#seen = new Uint8Array(count);
  }

  /** How likely bit `i` is 1, in 2^16ths. */
  probability(i: number): number {
    return this.#ones[i] as number;
  }

  learn(i: number, bit: number): void {
    const ones = this.#ones[i] as number;
    const seen = this.#seen[i] as number;
    const rate = RATES[seen] as number;
    // A product below 2^32, as both factors are at most 2^16.
    const move = Math.imul(bit ? CERTAIN - ones : ones, rate) >>> 16;
    const moved = bit ? ones + move : ones - move;
    this.#ones[i] = Math.min(CERTAIN - MARGIN, Math.max(MARGIN, moved));
    if (seen < COUNT_MAX) this.#seen[i] = seen + 1;
  }
}

/** What spells numbers in bits; the encoder is given the bits, the decoder finds them. */
export interface BitCoder {
  /** One bit of `models`, which learns from it. The encoder codes `bit`; the decoder ignores it. */
  bit(models: BitModels, i: number, bit: number): number;
  /** The low `count` bits of `value`, all equally likely; at most 32. */
  plain(count: number, value: number): number;
}

/** Writes bits. Memory: the coded bytes, at most doubled. */
export class BitEncoder implements BitCoder {
  #low = 0;
  #range = ONE - 1;
  #bytes = new Uint8Array(CAPACITY_INITIAL_BYTES);
  #length = 0;

  bit(models: BitModels, i: number, bit: number): number {
    this.#code(models.probability(i), bit);
    models.learn(i, bit);
    return bit;
  }

  plain(count: number, value: number): number {
    for (let shift = count - 1; shift >= 0; shift -= 1) this.#code(CERTAIN / 2, (value >>> shift) & 1);
    return value;
  }

  /** Ends the code: of all numbers in the range that is left, the one with most trailing zeros, without them. */
  finish(): Uint8Array {
    let grain = ONE;
    let code = Math.ceil(this.#low / grain) * grain;
    while (code >= this.#low + this.#range) {
      grain /= 2;
      code = Math.ceil(this.#low / grain) * grain;
    }
    if (code >= ONE) {
      code -= ONE;
      this.#carry();
    }
    for (; code > 0; code = (code * 256) % ONE) this.#write(Math.floor(code / TOP));
    return this.#bytes.slice(0, this.#length);
  }

  #code(probability: number, bit: number): void {
    const ones = (this.#range >>> 16) * probability;
    if (bit) {
      this.#range = ones;
    } else {
      this.#low += ones;
      this.#range -= ones;
      if (this.#low >= ONE) {
        this.#low -= ONE;
        this.#carry();
      }
    }
    while (this.#range < TOP) {
      this.#write(Math.floor(this.#low / TOP));
      this.#low = (this.#low % TOP) * 256;
      this.#range *= 256;
    }
  }

  #write(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  /** Adds one to the number written so far. The code stays below 1, so the walk ends inside the bytes. */
  #carry(): void {
    let i = this.#length - 1;
    for (; this.#bytes[i] === 255; i -= 1) this.#bytes[i] = 0;
    this.#bytes[i] = (this.#bytes[i] as number) + 1;
  }
}

/**
 * Reads bits. Safe on any bytes: a bit costs a bounded amount of work, and reading too far behind the end, or not up to
 * it, is an error.
 */
export class BitDecoder implements BitCoder {
  /** The code minus the encoder's low: below range for whatever an encoder wrote, and kept so for all else. */
  #offset = 0;
  #range = ONE - 1;
  #position = 0;
  readonly #bytes: Uint8Array;
  readonly #baseBytes: number;
  readonly #what: string;

  /** @param baseBytes where `bytes` lies in the archive, and `what` they are, for errors */
  constructor(bytes: Uint8Array, baseBytes = 0, what = "the list of copies") {
    this.#bytes = bytes;
    this.#baseBytes = baseBytes;
    this.#what = what;
    for (let i = 0; i < TAIL_BYTES; i += 1) this.#offset = this.#offset * 256 + this.#read();
    if (this.#offset >= this.#range) throw this.#corrupt("a code below 1", "1 or more");
  }

  /** @throws CorruptError */
  bit(models: BitModels, i: number): number {
    const bit = this.#decode(models.probability(i));
    models.learn(i, bit);
    return bit;
  }

  /** @throws CorruptError */
  plain(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i += 1) value = value * 2 + this.#decode(CERTAIN / 2);
    return value;
  }

  /** Checks that the bytes are used up. @throws CorruptError */
  finish(): void {
    if (this.#position < this.#bytes.length) throw this.#corrupt("an end", `${this.#bytes.length} bytes`);
  }

  #decode(probability: number): number {
    const ones = (this.#range >>> 16) * probability;
    const bit = this.#offset < ones ? 1 : 0;
    if (bit) {
      this.#range = ones;
    } else {
      this.#offset -= ones;
      this.#range -= ones;
    }
    while (this.#range < TOP) {
      this.#offset = this.#offset * 256 + this.#read();
      this.#range *= 256;
    }
    return bit;
  }

  #read(): number {
    const at = this.#position;
    if (at >= this.#bytes.length + TAIL_BYTES) throw this.#corrupt("more bytes", "their end");
    this.#position = at + 1;
    return this.#bytes[at] ?? 0;
  }

  #corrupt(expected: string, found: string): CorruptError {
    const used = Math.min(this.#position, this.#bytes.length);
    return new CorruptError(this.#baseBytes + used, this.#what, expected, found);
  }
}
