/**
 * The optimizer of the reference engine: Adam in integers.
 *
 * Per element: a first moment m, a second moment v, and a step of rate * m / sqrt(v). The inverse square root needs no
 * precision (a 4 % error is a 4 % error of the learning rate), so it is the classic trick on the bits of a floating
 * point number, with the bits made by integers. docs/NUMERICS.md section 7 is the contract.
 */

import { bitLength, clamp, roundShift } from "../../contract/fixed.ts";
import { WEIGHT_LIMIT } from "../../contract/formats.ts";
import { QUANTISED_WEIGHTS, weightExponent } from "../../contract/network.ts";
import {
  ALIGNED_LIMIT,
  INVERSE_ROOT_MAGIC,
  MOMENT_DROP,
  MOMENT_SHIFT,
  RATIO_BITS,
  RATIO_LIMIT,
  SQUARE_DROP,
  SQUARE_FRACTION,
  SQUARE_LIMIT,
  SQUARE_SHIFT,
} from "../../contract/optimizer.ts";
import { rateAt, squareDither } from "../../contract/schedule.ts";
import type { State } from "../../contract/state.ts";
import type { Tensor } from "../../contract/tensors.ts";
import type { Backward } from "./backward.ts";

/** An accumulated gradient in the tensor's unit: shifted by `left` (negative: right), saturating. */
export function alignGradient(accumulated: number, left: number): number {
  if (left <= 0) return clamp(roundShift(accumulated, Math.min(-left, 31)), ALIGNED_LIMIT);
  if (Math.abs(accumulated) > ALIGNED_LIMIT >> Math.min(left, 31)) {
    return accumulated < 0 ? -ALIGNED_LIMIT : ALIGNED_LIMIT;
  }
  return accumulated << Math.min(left, 31);
}

/** A moment in a unit that grew by 2^moved. */
export function moveMoment(moment: number, moved: number): number {
  return moved >= 0 ? roundShift(moment, Math.min(moved, 31)) : clamp(moment << 1, ALIGNED_LIMIT);
}

/** A second moment in a unit that grew by 2^moved: squares move twice as far. */
export function moveSquare(square: number, moved: number): number {
  if (moved >= 0) return square >> Math.min(2 * moved, 31);
  return square >= SQUARE_LIMIT >> 2 ? SQUARE_LIMIT : square << 2;
}

/**
 * moment / sqrt(square) in Q12, floor. With V = max(square, 1) as a number of 8 significant bits,
 * b = (exponent + 127, 7 bits of mantissa), the inverse root has the bits 0x5F37 - (b >> 1).
 */
export function momentRatio(moment: number, square: number): number {
  const value = Math.max(square, 1);
  const exponent = bitLength(value) - 1;
  const mantissa = (exponent >= 7 ? value >> (exponent - 7) : value << (7 - exponent)) & 127;
  const inverse = INVERSE_ROOT_MAGIC - ((((exponent + 127) << 7) | mantissa) >> 1);
  const inverseMantissa = 128 + (inverse & 127);
  const inverseExponent = 127 - (inverse >> 7);
  const product = roundShift(moment, MOMENT_DROP) * inverseMantissa; // at most 2^16 * 255
  return clamp((product << 4) >> inverseExponent, RATIO_LIMIT);
}

/** Updates all elements of one tensor from the accumulated gradients; rate 0 measures only. */
function updateTensor(state: State, tensor: Tensor, gradient: Int32Array, exponent: number, rate: number): number {
  const { master, moment, square, gradientScales } = state;
  const left = exponent - (gradientScales.scale[tensor.index] as number);
  const moved = gradientScales.moved[tensor.index] as number;
  const dither = squareDither(state.trained);
  let largest = 0;
  for (let i = tensor.offset; i < tensor.offset + tensor.size; i++) {
    const accumulated = gradient[i] as number;
    gradientScales.note(tensor.index, accumulated, exponent);
    if (rate > 0) {
      const g = alignGradient(accumulated, left);
      const m = moveMoment(moment[i] as number, moved);
      const v = moveSquare(square[i] as number, moved);
      const top = roundShift(g, SQUARE_DROP);
      const newMoment = m + roundShift(g - m, MOMENT_SHIFT);
      const newSquare = v + ((((top * top) << SQUARE_FRACTION) - v + dither) >> SQUARE_SHIFT);
      moment[i] = newMoment;
      square[i] = newSquare;
      const step = roundShift(momentRatio(newMoment, newSquare) * rate, RATIO_BITS);
      master[i] = clamp((master[i] as number) - step, WEIGHT_LIMIT);
    }
    largest = Math.max(largest, Math.abs(master[i] as number));
  }
  return largest;
}

/** One step of training for all tensors, their copies, and the exponents of the next step. */
export function optimise(state: State, backward: Backward): void {
  const rate = rateAt(state.rates, state.trained);
  const largest = new Map<string, number>();
  for (const tensor of state.layout.tensors) {
    const exponent = backward.exponent[tensor.index] as number;
    largest.set(tensor.name, updateTensor(state, tensor, backward.gradient, exponent, rate));
  }
  for (const name of QUANTISED_WEIGHTS) {
    state.exponents.note(weightExponent(name), largest.get(name) ?? 0);
    state.copyWeights(name);
  }
  state.gradientScales.endStep(state.trained, rate === 0);
  state.exponents.endStep();
  state.trained++;
}
