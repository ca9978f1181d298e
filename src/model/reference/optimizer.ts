/**
 * The optimizer of the reference engine: Adam in integers.
 *
 * Per element: a first moment m, a second moment v, and a step of rate * m / sqrt(v). The inverse square root needs no
 * precision (a 4 % error is a 4 % error of the learning rate), so it is the classic trick on the bits of a floating
 * point number, with the bits made by integers. docs/NUMERICS.md section 7 is the contract.
 */
import { bitLength, clamp, roundShift, WEIGHT_LIMIT } from "../fixed.ts";
import { MOMENT_SHIFT, rateAt, SQUARE_SHIFT, squareDither } from "../schedule.ts";
import { type Tensor, WEIGHT_SLOTS, weightSlot } from "../tensors.ts";
import type { Backward } from "./backward.ts";
import type { State } from "./state.ts";

/** Aligned gradients are below 2^22. */
const ALIGNED_LIMIT = (1 << 22) - 1;
/** Squares are taken of the gradient's top bits: 2^14 at most. */
const SQUARE_DROP = 8;
/** Second moments are in Q2 of those squares. */
const SQUARE_FRACTION = 2;
/** The ratio uses the moment's top bits: 2^16 at most, so that 24 bits hold their product with an inverse root. */
const MOMENT_DROP = 6;
/** A second moment is never above 2^30. */
const SQUARE_LIMIT = 1 << 30;
/** The ratio m / sqrt(v) is Q12 and saturates at ±4 (Adam's own bound for one spike is 2.9). */
const RATIO_BITS = 12;
const RATIO_LIMIT = (1 << 14) - 1;

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

/** The bits of 0x5F3759DF >> 16: the constant of the inverse square root on 16-bit floating-point numbers. */
const INVERSE_ROOT_MAGIC = 0x5f37;

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
  for (const name of WEIGHT_SLOTS) {
    state.exponents.note(weightSlot(name), largest.get(name) ?? 0);
    state.copyWeights(name);
  }
  state.gradientScales.endStep(state.trained, rate === 0);
  state.exponents.endStep();
  state.trained++;
}
