/**
 * The optimizer's schedule: which steps train, and with which step size.
 *
 * Adam divides its moments by 1 - beta^t; here that correction is folded into one integer learning rate per step,
 * so engines multiply by a number from this table and know nothing of beta.
 */

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

function squareRoot(x: bigint): bigint {
  if (x === 0n) return 0n;
  let root = 1n << 64n;
  for (;;) {
    const next = (root + x / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/**
 * The learning rate of each step in Q24: index 0 is the first step of the model. Calibration steps have rate 0; after
 * the table's end its last value holds.
 *
 * rate(u) = peak * sqrt(1 - (511/512)^u) / (1 - (7/8)^u) / sqrt(1 + u/4096) for the u-th update, rounded down.
 */
export function learningRates(peak: number): Int32Array {
  const rates = new Int32Array(CALIBRATION_STEPS + SCHEDULE_STEPS);
  let momentDecay = ONE;
  let squareDecay = ONE;
  for (let update = 1; update <= SCHEDULE_STEPS; update++) {
    momentDecay -= momentDecay >> BigInt(MOMENT_SHIFT);
    squareDecay -= squareDecay >> BigInt(SQUARE_SHIFT);
    const root = squareRoot((ONE - squareDecay) * ONE);
    const decay = squareRoot((ONE * ONE * DECAY_STEPS) / (DECAY_STEPS + BigInt(update)));
    rates[CALIBRATION_STEPS + update - 1] = Number(
      (((BigInt(peak) * root) / (ONE - momentDecay)) * decay) >> WORK_BITS,
    );
  }
  return rates;
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
