/**
 * What a predictor foresees of a lane's bytes. The predictor is that of all engines: its floats have the same bits
 * everywhere (docs/NUMERICS.md), and the transforms before the model are held against it.
 */

import { mix32 } from "../../contract/fixed.ts";
import { CONTEXT_STEP } from "../../contract/mixer-numbers.ts";
import { type ForeseenNumbers, Foresight } from "../../predict/foresight.ts";

/** Of a byte that comes. */
export interface ForeseenByte {
  readonly hashes: readonly number[];
  /** What chooses three weight sets, and the row of the refining map. */
  readonly choices: readonly number[];
  /** How likely a 1 is behind the bits so far, behind a leading 1; asked once for each bit, in order. */
  readonly likelihoodsAt: (node: number) => readonly number[];
}

export class ForeseenBytes {
  readonly #foresight: Foresight;
  /** Bytes of the block so far, and up to where they are foreseen, or are not. */
  #time = 0;
  #stretch = { end: 0, likelihoods: 0 };

  constructor(pixels: readonly ForeseenNumbers[]) {
    this.#foresight = new Foresight(pixels);
  }

  /** Of the next byte, if it is foreseen. @param contexts how many there are */
  next(contexts: number): ForeseenByte | undefined {
    if (this.#time === this.#stretch.end) this.#stretch = this.#foresight.at(this.#time);
    const { likelihoods } = this.#stretch;
    if (likelihoods === 0) return undefined;
    const { kernels } = this.#foresight;
    kernels.foresee();
    return {
      hashes: Array.from({ length: contexts }, (_, i) => mix32(kernels.contextAt(i) + Math.imul(i, CONTEXT_STEP))),
      choices: [0, 1, 2, 3].map((i) => kernels.choiceAt(i)),
      likelihoodsAt: (node) => {
        const first = kernels.likelihoodAt(node);
        return [first, ...Array.from({ length: likelihoods - 1 }, (_, i) => kernels.likelihood(i + 1))];
      },
    };
  }

  /** The byte is known. */
  pass(byte: number): void {
    this.#time += 1;
    if (this.#stretch.likelihoods > 0) this.#foresight.kernels.tell(byte);
  }
}
