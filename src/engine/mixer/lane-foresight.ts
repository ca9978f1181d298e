/**
 * What predictors foresee of a lane's block: their functions stand in the table that the mixer's WebAssembly calls
 * through while there are such bytes, and the bytes of the block are counted, so that it is known which these are.
 */
import { type ForeseenNumbers, Foresight } from "../../predict/foresight.ts";

/** Functions of the predictors that the mixer calls, by their place in its table: assembly/foresight.ts. */
const FUNCTIONS = ["foresee", "contextAt", "choiceAt", "tell", "likelihoodAt", "likelihood"] as const;

export class LaneForesight {
  readonly table = new WebAssembly.Table({ initial: FUNCTIONS.length, element: "anyfunc" });
  /** Of the next block. */
  #pixels: readonly ForeseenNumbers[] = [];
  #foresight: Foresight | undefined;
  /** Of the block at hand: bytes so far, without those that the lane was reminded of. */
  #blockBytes = 0;

  /** @param pixels of the lane's bytes of the next block */
  describe(pixels: readonly ForeseenNumbers[]): void {
    this.#pixels = pixels;
  }

  begin(): void {
    this.#blockBytes = 0;
    this.#put(this.#pixels.length > 0 ? new Foresight(this.#pixels) : undefined);
  }

  /** What was foreseen is over, and its memory can go. */
  end(): void {
    this.#put(undefined);
  }

  #put(foresight: Foresight | undefined): void {
    this.#foresight = foresight;
    FUNCTIONS.forEach((name, place) => void this.table.set(place, foresight?.kernels[name] ?? null));
  }

  /**
   * How many of the block's next bytes have so many likelihoods of each bit; 0: they are not foreseen.
   *
   * @throws Error if the memory cannot be had
   */
  next(): { readonly count: number; readonly likelihoods: number } {
    if (!this.#foresight) return { count: Number.POSITIVE_INFINITY, likelihoods: 0 };
    const { end, likelihoods } = this.#foresight.at(this.#blockBytes);
    return { count: end - this.#blockBytes, likelihoods };
  }

  /** So many bytes of the block have been coded. */
  pass(count: number): void {
    this.#blockBytes += count;
  }
}
