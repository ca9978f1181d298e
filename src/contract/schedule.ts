/**
 * The optimizer's schedule: which steps train, and with which step size.
 *
 * Adam divides its moments by 1 - beta^t; here that correction is folded into one integer learning rate per step,
 * so engines multiply by a number from this table and know nothing of beta.
 */

import { squareRoot } from "./fixed.ts";
import { MOMENT_SHIFT, SQUARE_SHIFT } from "./optimizer.ts";

/** Steps at the start that only measure magnitudes, so that all exponents fit before the first update. */
export const CALIBRATION_STEPS = 4;

/** After so many updates the corrections differ from 1 by less than 2^-11; the table ends, and the rate stays. */
export const SCHEDULE_STEPS = 8192;

/** The rate falls like 1 / sqrt(1 + update / DECAY_STEPS) until the table ends, to 0.58 of the peak. */
const DECAY_STEPS = 4096n;

/** Bits of fraction while the decays are computed. */
const WORK_BITS = 60n;
const ONE = 1n << WORK_BITS;

/** Peaks whose rates are kept. */
const PEAKS_MAX = 16;
/** Rates that are computed at a time: a small input needs few of them. */
const PIECE_STEPS = 256;

/**
 * The learning rate of each step in Q24, computed as far as somebody has asked: index 0 is the first step of the model.
 * Calibration steps have rate 0; after the table's end its last value holds.
 *
 * rate(u) = peak * sqrt(1 - (511/512)^u) / (1 - (7/8)^u) / sqrt(1 + u/4096) for the u-th update, rounded down.
 */
export class LearningRates {
  readonly #peak: bigint;
  readonly #rates = new Int32Array(CALIBRATION_STEPS + SCHEDULE_STEPS);
  #known = CALIBRATION_STEPS;
  #momentDecay = ONE;
  #squareDecay = ONE;
  /** The roots of the step before. */
  #root = ONE;
  #decay = ONE;

  /** @param peak in Q24 */
  constructor(peak: number) {
    this.#peak = BigInt(peak);
  }

  /** The rate of step `step`, from 0. */
  at(step: number): number {
    const index = Math.min(step, this.#rates.length - 1);
    if (index >= this.#known) this.#extend(index + PIECE_STEPS);
    return this.#rates[index] as number;
  }

  /** All of them. */
  table(): Int32Array {
    this.#extend(this.#rates.length);
    return this.#rates.slice();
  }

  #extend(to: number): void {
    const end = Math.min(to, this.#rates.length);
    for (; this.#known < end; this.#known++) {
      const update = BigInt(this.#known - CALIBRATION_STEPS + 1);
      this.#momentDecay -= this.#momentDecay >> BigInt(MOMENT_SHIFT);
      this.#squareDecay -= this.#squareDecay >> BigInt(SQUARE_SHIFT);
      this.#root = squareRoot((ONE - this.#squareDecay) * ONE, this.#root);
      this.#decay = squareRoot((ONE * ONE * DECAY_STEPS) / (DECAY_STEPS + update), this.#decay);
      const corrected = (this.#peak * this.#root) / (ONE - this.#momentDecay);
      this.#rates[this.#known] = Number((corrected * this.#decay) >> WORK_BITS);
    }
  }
}

const known = new Map<number, LearningRates>();

/** The rates for a peak: one object for all models of this thread. */
export function ratesFor(peak: number): LearningRates {
  const found = known.get(peak) ?? new LearningRates(peak);
  // Archives name peaks; nobody has more than a few, and who makes up thousands gets none kept.
  if (known.size < PEAKS_MAX) known.set(peak, found);
  return found;
}

/** The learning rate of each step in Q24, as LearningRates has it. */
export function learningRates(peak: number): Int32Array {
  return ratesFor(peak).table();
}

/** The rate of step `step` (from 0) in a table made by `learningRates`. */
export function rateAt(rates: Int32Array, step: number): number {
  return rates[step < rates.length ? step : rates.length - 1] as number;
}

/**
 * What is added before a second moment's update is shifted down, 0 to 511: the step number's low 9 bits reversed. Over
 * 512 steps it takes every value once, so small gradients are not lost to rounding, and the error does not pile up.
 */
export function squareDither(step: number): number {
  let reversed = 0;
  for (let bit = 0; bit < SQUARE_SHIFT; bit++) reversed |= ((step >> bit) & 1) << (SQUARE_SHIFT - 1 - bit);
  return reversed;
}
