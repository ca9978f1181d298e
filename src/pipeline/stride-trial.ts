/**
 * The small model by which strides are tried: a mixture of adaptive bits in a few contexts, over some runs of a block.
 * First the bytes before are asked alone, and each bit's guess is kept; then, for each stride, that guess is mixed with
 * what bytes above say. The difference in code length is what the stride would bring, about. Any further guesses make a
 * mixture a little better, even those of a stride that means nothing; so the measure is such a stride, the decoy.
 */
import { exponential, LN_2, naturalLog } from "./logarithm.ts";

/** Runs of the block that are coded, and how long each is. */
const RUNS = 3;
const RUN_BYTES = 3 << 12;
/** Bits of context, hashed. */
const TABLE_BITS = 16;
const TABLE_SIZE = 1 << TABLE_BITS;
/** A bit moves its guess by one part in 2^this. */
const RATE_BITS = 4;
/** How fast the weights of the guesses follow. */
const MIX_RATE = 0.02;
const WEIGHT_OF_CONTEXT = 0.3;
const PROBABILITIES = 1 << 12;
/** Guesses are mixed as ln(p / (1 - p)), within this. */
const STRETCH_MAX = 7.99;
/** Steps of the table that turns them back, to 1. */
const SQUASH_STEPS = 256;

const stretchOf = (p: number) => naturalLog((p + 0.5) / (PROBABILITIES - p - 0.5));
const STRETCH = Float64Array.from({ length: PROBABILITIES }, (_, p) => Math.max(-STRETCH_MAX, stretchOf(p)));
const SQUASH = Float64Array.from({ length: 16 * SQUASH_STEPS }, (_, i) => 1 / (1 + exponential(8 - i / SQUASH_STEPS)));
/** Bits that a digit costs, by the 2^12ths that were given to it. */
const COST = Float64Array.from({ length: PROBABILITIES }, (_, p) => -naturalLog((p + 0.5) / PROBABILITIES) / LN_2);

/** What is hashed, for each context: bytes so far back. */
type Contexts = readonly (readonly number[])[];

/** What any model has: the last bytes, and those a pixel or a word before. */
const BEFORE: Contexts = [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [3, 1], [4, 2]];
const above = (stride: number): Contexts => [[stride], [stride, 1], [stride, 1, 2 * stride], [stride, stride + 1, 1]];

export class StrideTrial {
  readonly #bytes: Uint8Array;
  /** Where each run begins. */
  readonly #starts: readonly number[];
  readonly #runBytes: number;
  /** What the bytes before say of each bit, stretched. */
  readonly #guesses: Float32Array;
  readonly #counts = new Uint16Array(BEFORE.length * TABLE_SIZE);
  /** Bits that the runs take without a stride. */
  readonly bitsWithout: number;

  /** @param decoy a stride that means nothing @param runs of the block that are coded, together always as much */
  constructor(bytes: Uint8Array, decoy: number, runs = RUNS) {
    this.#bytes = bytes;
    this.#runBytes = Math.min(Math.floor((RUNS * RUN_BYTES) / runs), Math.floor(bytes.length / runs));
    const share = bytes.length / runs;
    this.#starts = Array.from({ length: runs }, (_, run) => Math.floor(share * run + (share - this.#runBytes) / 2));
    this.#guesses = new Float32Array(runs * this.#runBytes * 8);
    const alone = this.#code(BEFORE, true);
    this.bitsWithout = Math.min(alone, this.bitsWith(decoy));
  }

  /** Bits that the runs take if the bytes above are asked, too. */
  bitsWith(stride: number): number {
    return this.#code(above(stride), false);
  }

  #code(contexts: Contexts, isFirst: boolean): number {
    const bases = new Int32Array(contexts.length);
    const mixer = new Mixer(this.#counts, bases, this.#guesses, isFirst);
    let bits = 0;
    let digits = 0;
    for (const start of this.#starts) {
      for (let at = start; at < start + this.#runBytes; at += 1, digits += 8) {
        for (let i = 0; i < contexts.length; i += 1) bases[i] = this.#hash(at, i, contexts[i] as readonly number[]);
        bits += mixer.code(this.#bytes[at] as number, digits);
      }
    }
    return bits;
  }

  /** Before the first byte everything is 0. */
  #hash(at: number, seed: number, offsets: readonly number[]): number {
    let hash = seed + 1;
    for (const offset of offsets) {
      const byte = at < offset ? 0 : (this.#bytes[at - offset] as number);
      hash = Math.imul(hash ^ (byte + 0x100), 0x2c1b3c6d);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}

/** Adaptive bits in contexts, their guesses weighted by how well they did. */
class Mixer {
  readonly #counts: Uint16Array;
  readonly #bases: Int32Array;
  readonly #guesses: Float32Array;
  readonly #isFirst: boolean;
  readonly #inputs: Float64Array;
  readonly #slots: Int32Array;
  /** One set of weights for each beginning of a byte; the last is of the guess of the bytes before. */
  readonly #weights: Float64Array;

  /** @param bases of the byte at hand, by context @param isFirst whether guesses are made, or used */
  constructor(counts: Uint16Array, bases: Int32Array, guesses: Float32Array, isFirst: boolean) {
    const inputs = bases.length + 1;
    this.#counts = counts.fill(1 << 15);
    this.#bases = bases;
    this.#guesses = guesses;
    this.#isFirst = isFirst;
    this.#inputs = new Float64Array(inputs);
    this.#slots = new Int32Array(inputs);
    this.#weights = new Float64Array(256 * inputs).fill(WEIGHT_OF_CONTEXT);
    for (let node = 0; node < 256; node += 1) this.#weights[(node + 1) * inputs - 1] = 1;
  }

  /** Bits that a byte takes. @param first where its digits' guesses are */
  code(byte: number, first: number): number {
    const count = this.#bases.length;
    let bits = 0;
    for (let digit = 0, node = 1; digit < 8; digit += 1) {
      this.#inputs[count] = this.#isFirst ? 0 : (this.#guesses[first + digit] as number);
      const sum = this.#mix(node);
      if (this.#isFirst) this.#guesses[first + digit] = sum;
      const probability = SQUASH[((sum + 8) * SQUASH_STEPS) | 0] as number;
      const bit = (byte >> (7 - digit)) & 1;
      bits += COST[((bit === 1 ? probability : 1 - probability) * PROBABILITIES) | 0] as number;
      this.#learn(node, bit, bit - probability);
      node = 2 * node + bit;
    }
    return bits;
  }

  /** @param node the digits so far, behind a 1 */
  #mix(node: number): number {
    const count = this.#bases.length;
    const weights = node * (count + 1);
    let sum = (this.#weights[weights + count] as number) * (this.#inputs[count] as number);
    for (let i = 0; i < count; i += 1) {
      const hash = Math.imul((this.#bases[i] as number) + node, 0x297a2d39);
      const slot = i * TABLE_SIZE + ((hash ^ (hash >>> 15)) & (TABLE_SIZE - 1));
      const input = STRETCH[(this.#counts[slot] as number) >> 4] as number;
      this.#slots[i] = slot;
      this.#inputs[i] = input;
      sum += (this.#weights[weights + i] as number) * input;
    }
    return Math.max(-STRETCH_MAX, Math.min(STRETCH_MAX, sum));
  }

  #learn(node: number, bit: number, error: number): void {
    const count = this.#bases.length;
    const weights = node * (count + 1);
    const step = MIX_RATE * error;
    const target = bit === 1 ? 0xffff : 0;
    for (let i = 0; i < count; i += 1) {
      const slot = this.#slots[i] as number;
      const guess = this.#counts[slot] as number;
      this.#counts[slot] = guess + ((target - guess) >> RATE_BITS);
      this.#weights[weights + i] = (this.#weights[weights + i] as number) + step * (this.#inputs[i] as number);
    }
    const outside = weights + count;
    this.#weights[outside] = (this.#weights[outside] as number) + step * (this.#inputs[count] as number);
  }
}
