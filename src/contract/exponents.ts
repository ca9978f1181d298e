/**
 * Power-of-two exponents: how values of any magnitude become int8 or int16 operands.
 *
 * Each quantised tensor has one shift, chosen from the largest magnitude that it had in earlier steps (a maximum of
 * integers does not depend on order, so parallel engines agree), and saturates. No reduction over the current step
 * stands on the critical path. docs/NUMERICS.md section 3 is the contract.
 */

import { bitLength, ceilLog2 } from "./fixed.ts";
import { GRADIENT_OPERAND_MAX, WEIGHT_BITS } from "./formats.ts";
import type { HyperParameters } from "./hyper.ts";
import {
  activationExponent,
  EXPONENT_COUNT,
  gradientExponent,
  magnitudeBefore,
  type ProductFormat,
  QUANTISED_ACTIVATIONS,
  QUANTISED_GRADIENTS,
  QUANTISED_WEIGHTS,
  weightExponent,
} from "./network.ts";
import { ALIGNED_BITS, FALL_STEPS, NEED_BIAS } from "./optimizer.ts";
import type { Layout } from "./tensors.ts";

/** Magnitude bits of an int8 operand. */
const OPERAND_BITS = 7;
/** Magnitude bits of an embedded value. */
const EMBEDDING_BITS = 15;

/**
 * Magnitude bits of a gradient operand: 15, fewer when so many rows are added up that 2B products of a gradient and
 * an int8 activation could leave 32 bits.
 */
export function gradientBits(streams: number): number {
  return Math.min(15, 24 - ceilLog2(2 * streams));
}

/**
 * Largest magnitude of a gradient operand: at most 127 * 256 + 127, so that an engine may split it into two int8
 * halves.
 */
export function gradientOperandLimit(streams: number): number {
  return Math.min(GRADIENT_OPERAND_MAX, (1 << gradientBits(streams)) - 1);
}

/** The largest magnitude that each gradient is taken to have had before the first step, in Q22. */
const INITIAL_GRADIENT = 1 << 15;

/** The exponent state of one model: a shift for each, and what it follows from. */
export class Exponents {
  /** The shift with which values are quantised in this step. */
  readonly shift = new Int32Array(EXPONENT_COUNT);
  /** The shift with which the weights in use were quantised: the `shift` of the step before. */
  readonly copyShift = new Int32Array(EXPONENT_COUNT);
  /** The largest magnitude of this step so far. */
  readonly seen = new Int32Array(EXPONENT_COUNT);
  /** The magnitude that `shift` follows from: it rises at once and falls by one bit a step. */
  readonly held = new Int32Array(EXPONENT_COUNT);
  /** Magnitude bits that `held` is scaled to. */
  readonly bits = new Int32Array(EXPONENT_COUNT);

  constructor(hyper: HyperParameters) {
    for (const name of QUANTISED_ACTIVATIONS) {
      this.bits[activationExponent(name)] = OPERAND_BITS;
      this.held[activationExponent(name)] = magnitudeBefore(name);
    }
    for (const name of QUANTISED_GRADIENTS) {
      // One bit of headroom: gradients vary more from step to step, and a saturated one is lost.
      this.bits[gradientExponent(name)] = gradientBits(hyper.streams) - 1;
      this.held[gradientExponent(name)] = INITIAL_GRADIENT;
    }
    for (const name of QUANTISED_WEIGHTS) {
      this.bits[weightExponent(name)] = name === "embedding" ? EMBEDDING_BITS : OPERAND_BITS;
    }
    this.#chooseShifts();
  }

  /** Records a magnitude (not negative) of this step. */
  note(exponent: number, magnitude: number): void {
    if (magnitude > (this.seen[exponent] as number)) this.seen[exponent] = magnitude;
  }

  /** Takes initial weights into account: their magnitudes are known exactly. */
  holdInitial(exponent: number, magnitude: number): void {
    this.held[exponent] = magnitude;
    this.#chooseShifts();
    this.copyShift[exponent] = this.shift[exponent] as number;
  }

  /** Moves all on to the next step. @param isTrained otherwise gradients and weights have not been seen */
  endStep(isTrained = true): void {
    const count = isTrained ? EXPONENT_COUNT : QUANTISED_ACTIVATIONS.length;
    for (let exponent = 0; exponent < count; exponent++) {
      this.copyShift[exponent] = this.shift[exponent] as number;
      this.held[exponent] = Math.max(this.seen[exponent] as number, (this.held[exponent] as number) >> 1);
      this.seen[exponent] = 0;
    }
    this.#chooseShifts();
  }

  #chooseShifts(): void {
    for (let exponent = 0; exponent < EXPONENT_COUNT; exponent++) {
      this.shift[exponent] = Math.max(0, bitLength(this.held[exponent] as number) - (this.bits[exponent] as number));
    }
  }
}

/**
 * The exponents of the weight gradients, one per trained tensor: slow to fall, because the optimizer's moments are
 * kept in the same unit and lose a bit each time it moves.
 */
export class GradientScales {
  /** Gradients are kept in units of 2^scale (relative to their accumulator's own exponent 0). */
  readonly scale: Int32Array;
  /** How far `scale` moved at the end of the last step; moments are shifted by it in the next. */
  readonly moved: Int32Array;
  /** The largest bit length plus accumulator exponent of this step, plus NEED_BIAS so that 0 means none. */
  readonly seen: Int32Array;
  /** The same over the current window of FALL_STEPS. */
  readonly window: Int32Array;

  constructor(layout: Layout) {
    const count = layout.tensors.length;
    this.scale = new Int32Array(count);
    this.moved = new Int32Array(count);
    this.seen = new Int32Array(count);
    this.window = new Int32Array(count);
  }

  /** Records an accumulated gradient whose unit is 2^exponent. */
  note(tensor: number, accumulated: number, exponent: number): void {
    const need = bitLength(Math.abs(accumulated)) + exponent + NEED_BIAS;
    if (need > (this.seen[tensor] as number)) this.seen[tensor] = need;
  }

  /**
   * Moves all tensors on to the next step. While calibrating the scale follows each step; afterwards it rises at
   * once and falls by one at the end of a window that stayed below it.
   */
  endStep(step: number, calibrating: boolean): void {
    const windowEnds = (step + 1) % FALL_STEPS === 0;
    for (let tensor = 0; tensor < this.scale.length; tensor++) {
      const need = (this.seen[tensor] as number) - NEED_BIAS - ALIGNED_BITS;
      const widest = Math.max(this.window[tensor] as number, this.seen[tensor] as number);
      const old = this.scale[tensor] as number;
      const falls = windowEnds && widest - NEED_BIAS - ALIGNED_BITS < old;
      const next = calibrating || need > old ? need : falls ? old - 1 : old;
      this.scale[tensor] = next;
      this.moved[tensor] = next - old;
      this.window[tensor] = windowEnds || calibrating ? 0 : widest;
      this.seen[tensor] = 0;
    }
  }
}

/** The right shift that brings activation x weight accumulators from the input's format to the output's. */
export const forwardShift = (format: ProductFormat, activationShift: number, weightShift: number): number =>
  WEIGHT_BITS + format.inputBits - format.outputBits - activationShift - weightShift;

/** The right shift that brings gradient x weight accumulators to Q22, whatever the input was. */
export const backwardShift = (gradientShift: number, weightShift: number): number =>
  WEIGHT_BITS - gradientShift - weightShift;
