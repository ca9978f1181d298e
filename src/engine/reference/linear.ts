/**
 * Quantisers and matrix products of the reference engine: the only places where two tensors are multiplied.
 *
 * Operands are int8 (activations, weights) or int16 (gradients), accumulators are i32 and may wrap: addition modulo
 * 2^32 does not depend on order, so every engine gets the same bits whatever its tiles look like.
 */

import type { Exponents } from "../../contract/exponents.ts";
import { clamp, roundShift } from "../../contract/fixed.ts";

/** An operand from activations or Q22 gradients, saturating at ±limit; the exponent learns the largest magnitude. */
export function quantise(
  exponents: Exponents,
  exponent: number,
  x: Int32Array,
  limit: number,
  into: Int8Array | Int16Array,
): void {
  const shift = exponents.shift[exponent] as number;
  let largest = 0;
  for (let i = 0; i < into.length; i++) {
    const value = x[i] as number;
    largest = Math.max(largest, Math.abs(value));
    into[i] = clamp(roundShift(value, shift), limit);
  }
  exponents.note(exponent, largest);
}

/** A view of a matrix product's left operand: row r starts at start + r * pitch. */
export interface Rows<T> {
  readonly data: T;
  readonly count: number;
  readonly pitch: number;
  readonly start: number;
}

export function rowsOf<T>(data: T, count: number, pitch: number, start = 0): Rows<T> {
  return { data, count, pitch, start };
}

/** out[r][n] = sum over k of x[r][k] * weight[n][k], for `outputs` x `inputs` weights starting at `weightStart`. */
export function multiplyForward(
  x: Rows<Int8Array>,
  weight: Int8Array,
  weightStart: number,
  outputs: number,
  inputs: number,
  out: Int32Array,
  outStart = 0,
): void {
  for (let r = 0; r < x.count; r++) {
    const xStart = x.start + r * x.pitch;
    for (let n = 0; n < outputs; n++) {
      const wStart = weightStart + n * inputs;
      let sum = 0;
      for (let k = 0; k < inputs; k++) {
        sum += (x.data[xStart + k] as number) * (weight[wStart + k] as number);
      }
      out[outStart + r * outputs + n] = sum; // |sum| <= 127 * 127 * 8192 < 2^27
    }
  }
}

/** out[r][k] = sum over n of gradient[r][n] * weight[n][k], modulo 2^32. */
export function multiplyBackward(
  gradient: Rows<Int16Array>,
  weight: Int8Array,
  weightStart: number,
  outputs: number,
  inputs: number,
  out: Int32Array,
  outStart = 0,
): void {
  for (let r = 0; r < gradient.count; r++) {
    const row = out.subarray(outStart + r * inputs, outStart + (r + 1) * inputs).fill(0);
    for (let n = 0; n < outputs; n++) {
      const g = gradient.data[gradient.start + r * gradient.pitch + n] as number;
      if (g === 0) continue;
      const wStart = weightStart + n * inputs;
      for (let k = 0; k < inputs; k++) {
        row[k] = ((row[k] as number) + g * (weight[wStart + k] as number)) | 0;
      }
    }
  }
}

/** out[n][k] = sum over rows of gradient[r][n] * x[r][k]; gradientBits keeps it below 2^31. */
export function multiplyRows(
  gradient: Rows<Int16Array>,
  x: Rows<Int8Array>,
  outputs: number,
  inputs: number,
  out: Int32Array,
  outStart = 0,
): void {
  out.fill(0, outStart, outStart + outputs * inputs);
  for (let r = 0; r < x.count; r++) {
    const xStart = x.start + r * x.pitch;
    for (let n = 0; n < outputs; n++) {
      const g = gradient.data[gradient.start + r * gradient.pitch + n] as number;
      if (g === 0) continue;
      const row = outStart + n * inputs;
      for (let k = 0; k < inputs; k++) {
        out[row + k] = (out[row + k] as number) + g * (x.data[xStart + k] as number);
      }
    }
  }
}
