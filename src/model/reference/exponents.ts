/**
 * Power-of-two exponents: how values of any magnitude become int8 or int16 operands.
 *
 * Each quantised tensor has one shift, chosen from the largest magnitude that it had in earlier steps (a maximum of
 * integers does not depend on order, so parallel engines agree), and saturates. No reduction over the current step
 * stands on the critical path. docs/NUMERICS.md section 3 is the contract.
 */
import { bitLength, ceilLog2 } from "../fixed.ts";
import type { HyperParameters } from "../hyper.ts";
import {
  ACTIVATION_SLOTS,
  type ActivationSlot,
  activationSlot,
  GRADIENT_SLOTS,
  gradientSlot,
  type Layout,
  SLOT_COUNT,
  WEIGHT_SLOTS,
  weightSlot,
} from "../tensors.ts";

/** Magnitude bits of an int8 operand. */
export const OPERAND_BITS = 7;
/** Magnitude bits of an embedded value. */
export const EMBEDDING_BITS = 15;

/**
 * Magnitude bits of a gradient operand: 15, fewer when so many rows are added up that 2B products of a gradient and
 * an int8 activation could leave 32 bits.
 */
export function gradientBits(streams: number): number {
  return Math.min(15, 24 - ceilLog2(2 * streams));
}

/**
 * Largest magnitude of a gradient operand. 32639 = 127 * 256 + 127 instead of 32767, so that an engine may split an
 * operand into two int8 halves.
 */
export function gradientOperandLimit(streams: number): number {
  return Math.min(32639, (1 << gradientBits(streams)) - 1);
}

/** The largest magnitude that each activation is taken to have had before the first step, in its own format. */
const INITIAL_ACTIVATION: Readonly<Record<ActivationSlot, number>> = {
  input: 1 << 12,
  cache: 1 << 7,
  coarse: 1 << 12,
  downOut: 1 << 11,
  memoryOut: 1 << 7,
  fineIn: 1 << 12,
  fineHidden: 1 << 8,
  last: 1 << 12,
};

/** The same for gradients, in Q22. */
const INITIAL_GRADIENT = 1 << 15;

/** The exponent state of one model: a shift per slot, and what it follows from. */
export class Exponents {
  /** The shift with which a slot is quantised in this step. */
  readonly shift = new Int32Array(SLOT_COUNT);
  /** The shift with which the weights in use were quantised: the `shift` of the step before. */
  readonly copyShift = new Int32Array(SLOT_COUNT);
  /** The largest magnitude of this step so far. */
  readonly seen = new Int32Array(SLOT_COUNT);
  /** The magnitude that `shift` follows from: it rises at once and falls by one bit a step. */
  readonly held = new Int32Array(SLOT_COUNT);
  /** Magnitude bits that `held` is scaled to. */
  readonly bits = new Int32Array(SLOT_COUNT);

  constructor(hyper: HyperParameters) {
    for (const name of ACTIVATION_SLOTS) {
      this.bits[activationSlot(name)] = OPERAND_BITS;
      this.held[activationSlot(name)] = INITIAL_ACTIVATION[name];
    }
    for (const name of GRADIENT_SLOTS) {
      // One bit of headroom: gradients vary more from step to step, and a saturated one is lost.
      this.bits[gradientSlot(name)] = gradientBits(hyper.streams) - 1;
      this.held[gradientSlot(name)] = INITIAL_GRADIENT;
    }
    for (const name of WEIGHT_SLOTS) {
      this.bits[weightSlot(name)] = name === "embedding" ? EMBEDDING_BITS : OPERAND_BITS;
    }
    this.#chooseShifts();
  }

  /** Records a magnitude (not negative) of this step. */
  note(slot: number, magnitude: number): void {
    if (magnitude > (this.seen[slot] as number)) this.seen[slot] = magnitude;
  }

  /** Takes initial weights into account: their magnitudes are known exactly. */
  holdInitial(slot: number, magnitude: number): void {
    this.held[slot] = magnitude;
    this.#chooseShifts();
    this.copyShift[slot] = this.shift[slot] as number;
  }

  /** Moves all slots on to the next step. */
  endStep(): void {
    this.copyShift.set(this.shift);
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      this.held[slot] = Math.max(this.seen[slot] as number, (this.held[slot] as number) >> 1);
      this.seen[slot] = 0;
    }
    this.#chooseShifts();
  }

  /** After a step in which nothing trained: gradients and weights have not been seen, activations have. */
  endUntrainedStep(): void {
    for (let slot = 0; slot < ACTIVATION_SLOTS.length; slot++) {
      this.copyShift[slot] = this.shift[slot] as number;
      this.held[slot] = Math.max(this.seen[slot] as number, (this.held[slot] as number) >> 1);
      this.seen[slot] = 0;
    }
    this.#chooseShifts();
  }

  #chooseShifts(): void {
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      this.shift[slot] = Math.max(0, bitLength(this.held[slot] as number) - (this.bits[slot] as number));
    }
  }
}

/** Magnitude bits that weight gradients are aligned to before the optimizer sees them, with one bit of headroom. */
const ALIGNED_BITS = 21;
/** Steps between two falls of a gradient's exponent. */
export const FALL_STEPS = 64;

/**
 * The exponents of the weight gradients, one per trained tensor: slow to fall, because the optimizer's moments are
 * kept in the same unit and lose a bit each time it moves.
 */
export class GradientScales {
  /** Gradients are kept in units of 2^scale (relative to their accumulator's own exponent 0). */
  readonly scale: Int32Array;
  /** How far `scale` moved at the end of the last step; moments are shifted by it in the next. */
  readonly moved: Int32Array;
  /** The largest bit length plus accumulator exponent of this step, plus BIAS so that 0 means none. */
  readonly seen: Int32Array;
  /** The same over the current window of FALL_STEPS. */
  readonly window: Int32Array;

  static readonly BIAS = 256;

  constructor(layout: Layout) {
    const count = layout.tensors.length;
    this.scale = new Int32Array(count);
    this.moved = new Int32Array(count);
    this.seen = new Int32Array(count);
    this.window = new Int32Array(count);
  }

  /** Records an accumulated gradient whose unit is 2^exponent. */
  note(tensor: number, accumulated: number, exponent: number): void {
    const need = bitLength(Math.abs(accumulated)) + exponent + GradientScales.BIAS;
    if (need > (this.seen[tensor] as number)) this.seen[tensor] = need;
  }

  /**
   * Moves all tensors on to the next step. While calibrating the scale follows each step; afterwards it rises at
   * once and falls by one at the end of a window that stayed below it.
   */
  endStep(step: number, calibrating: boolean): void {
    const windowEnds = (step + 1) % FALL_STEPS === 0;
    for (let tensor = 0; tensor < this.scale.length; tensor++) {
      const need = (this.seen[tensor] as number) - GradientScales.BIAS - ALIGNED_BITS;
      const widest = Math.max(this.window[tensor] as number, this.seen[tensor] as number);
      const old = this.scale[tensor] as number;
      const falls = windowEnds && widest - GradientScales.BIAS - ALIGNED_BITS < old;
      const next = calibrating || need > old ? need : falls ? old - 1 : old;
      this.scale[tensor] = next;
      this.moved[tensor] = next - old;
      this.window[tensor] = windowEnds || calibrating ? 0 : widest;
      this.seen[tensor] = 0;
    }
  }
}
