/**
 * The small model by which strides are tried: a mixture of adaptive bits in a few contexts, over some runs of a block.
 * First the bytes before are asked alone, and each bit's guess is kept; then, for each stride, that guess is mixed with
 * what bytes above say. The difference in code length is what the stride would bring, about. Any further guesses make a
 * mixture a little better, even those of a stride that means nothing; so the measure is such a stride, the decoy.
 */
import { TRIAL_BYTES_MAX, trialKernels } from "./trial-kernels.ts";

/** Runs of the block that are coded, together always as long. */
const RUNS = 6;
/** Of these, so many are enough to see that a stride is no good; every other one comes first, so they lie all over. */
const EARLY_RUNS = 2;

/** What is hashed, for each context: bytes so far back. */
type Contexts = readonly (readonly number[])[];

/** What any model has: the last bytes, and those a pixel or a word before. */
const BEFORE: Contexts = [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [3, 1], [4, 2]];
const above = (stride: number): Contexts => [[stride], [stride, 1], [stride, 1, 2 * stride], [stride, stride + 1, 1]];

/** The trial whose guesses the kernels keep. */
let current: StrideTrial | undefined;

/** One at a time: the next trial ends the one before. */
export class StrideTrial {
  readonly #bytes: Uint8Array;
  /** Where each run begins. */
  readonly #starts: readonly number[];
  readonly #runBytes: number;
  /** Bits that the runs take if only the bytes before are asked. */
  readonly bitsAlone: number;
  /** The same of the first runs, in the way that takes least so far. */
  #earlyBits: number;

  /** @param runs of the block that are coded, together always as much */
  constructor(bytes: Uint8Array, runs = RUNS) {
    current = this;
    this.#bytes = bytes;
    this.#runBytes = Math.floor(Math.min(TRIAL_BYTES_MAX, bytes.length) / runs);
    const share = bytes.length / runs;
    const starts = Array.from({ length: runs }, (_, run) => Math.floor(share * run + (share - this.#runBytes) / 2));
    this.#starts = [...starts.filter((_, run) => run % 3 === 1), ...starts.filter((_, run) => run % 3 !== 1)];
    this.#begin(BEFORE, true);
    this.#earlyBits = this.#code(BEFORE, 0, EARLY_RUNS);
    this.bitsAlone = this.#code(BEFORE, EARLY_RUNS, runs);
  }

  /**
   * Bits that the runs take without a stride.
   *
   * @param decoy a stride that means nothing @throws Error if another trial has begun
   */
  bitsWithout(decoy: number): number {
    this.#begin(above(decoy), false);
    this.#earlyBits = Math.min(this.#earlyBits, this.#code(above(decoy), 0, EARLY_RUNS));
    return Math.min(this.bitsAlone, this.#code(above(decoy), EARLY_RUNS, this.#starts.length));
  }

  /** Bits that the runs take if the bytes above are asked, too. @throws Error if another trial has begun */
  bitsWith(stride: number): number {
    this.#begin(above(stride), false);
    return this.#code(above(stride), 0, this.#starts.length);
  }

  /**
   * The same, or undefined if the first runs do not save one part in `share` of what they take in the ways before.
   *
   * @throws Error if another trial has begun
   */
  bitsIfSaving(stride: number, share: number): number | undefined {
    this.#begin(above(stride), false);
    const bits = this.#code(above(stride), 0, EARLY_RUNS);
    if (this.#earlyBits - bits <= this.#earlyBits / share) return undefined;
    return this.#code(above(stride), EARLY_RUNS, this.#starts.length);
  }

  #begin(contexts: Contexts, isFirst: boolean): void {
    if (current !== this) throw new Error("another trial has begun");
    trialKernels().beginMixture(contexts, isFirst);
  }

  /** Codes some of the runs. @returns bits of all runs up to there */
  #code(contexts: Contexts, first: number, end: number): number {
    const lead = Math.max(...contexts.flat());
    let bits = 0;
    for (const start of this.#starts.slice(first, end)) {
      bits = trialKernels().codeRun(this.#bytes, start, this.#runBytes, lead);
    }
    return bits;
  }
}
