/**
 * LayerNorm in integers, forward and backward, over rows of a power of two of values.
 *
 * The only division is one per row: the inverse standard deviation as a 15-bit mantissa and a shift. Rows may be in
 * any unit (Q7 activations, raw int16 embeddings), because the result does not depend on it.
 */

import { ceilLog2, clampActivation, clampGradient, integerSqrt, mulRound, roundShift } from "../../contract/fixed.ts";
import { ACTIVATION_BITS, MANTISSA_BITS, SCALE_BITS } from "../../contract/formats.ts";

/** 1 / (standard deviation) of a row in Q10 units: mantissa / 2^shift. */
export interface Deviation {
  /** 2^14 to 2^15 - 1. */
  readonly mantissa: number;
  /** 5 to 19: (value - mean) * mantissa >> shift is the normalised value in Q10. */
  readonly shift: number;
}

/**
 * The inverse standard deviation from the sum of squared deviations over 2^log2Width values.
 *
 * sum = m * 2^k with k even and m of 15 or 16 bits; 2^22 / sqrt(m) is the mantissa. Sums are below 2^41.
 */
export function inverseDeviation(sumOfSquares: number, log2Width: number): Deviation {
  const odd = log2Width & 1;
  const floor = 2 ** log2Width;
  let sum = (sumOfSquares < floor ? floor : sumOfSquares) * (odd === 1 ? 2 : 1);
  let bits = 0;
  for (let rest = sum; rest >= 1; rest = Math.floor(rest / 2)) bits++;
  const k = (bits - 15) & ~1;
  sum = k >= 0 ? Math.floor(sum / 2 ** k) : sum * 2 ** -k;
  const root = integerSqrt(sum * 2 ** 14);
  const mantissa = Math.min(32767, Math.floor(2 ** 29 / root));
  return { mantissa, shift: MANTISSA_BITS - ACTIVATION_BITS + k / 2 - (log2Width + odd) / 2 };
}

/** Normalises x[start … start + width): writes Q10 values of mean 0 and variance 1 and returns the deviation. */
export function normalise(x: Int32Array | Int16Array, start: number, width: number, into: Int32Array): Deviation {
  const log2Width = ceilLog2(width);
  let sum = 0;
  for (let i = 0; i < width; i++) sum += x[start + i] as number;
  const mean = roundShift(sum, log2Width);
  let squares = 0; // below 2^30 * 2^10: exact in a double
  for (let i = 0; i < width; i++) {
    const d = clampActivation((x[start + i] as number) - mean);
    squares += d * d;
  }
  const deviation = inverseDeviation(squares, log2Width);
  for (let i = 0; i < width; i++) {
    const d = clampActivation((x[start + i] as number) - mean);
    into[start + i] = clampActivation(roundShift(d * deviation.mantissa, deviation.shift));
  }
  return deviation;
}

/** Scale (Q12) and shift (Q10) after normalising. */
export function scaleAndShift(normalised: number, scale: number, shift: number): number {
  return clampActivation(roundShift(normalised * scale, SCALE_BITS) + shift);
}

/**
 * The gradient of a row with respect to its values before normalising.
 *
 * @param dNormalised gradient with respect to the normalised values (already multiplied by the scale), Q22
 * @param moreShift fraction bits of activations minus those of the row: 3 for Q7 rows; 0 keeps the row's own unit
 * @param into receives deviation * (d - mean(d) - normalised * mean(d * normalised)), saturating
 */
export function normaliseBackward(
  dNormalised: Int32Array,
  normalised: Int32Array,
  start: number,
  width: number,
  deviation: Deviation,
  moreShift: number,
  into: Int32Array,
): void {
  const log2Width = ceilLog2(width);
  let mean = 0;
  let slope = 0;
  for (let i = 0; i < width; i++) {
    const d = dNormalised[start + i] as number;
    mean = (mean + roundShift(d, log2Width)) | 0;
    slope = (slope + mulRound(d, normalised[start + i] as number, ACTIVATION_BITS + log2Width)) | 0;
  }
  for (let i = 0; i < width; i++) {
    const along = mulRound(slope, normalised[start + i] as number, ACTIVATION_BITS);
    const inner = ((dNormalised[start + i] as number) - mean - along) | 0;
    into[start + i] = clampGradient(mulRound(inner, deviation.mantissa, deviation.shift + moreShift));
  }
}
