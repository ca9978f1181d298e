/**
 * Everything of a model that outlives a step: weights, their quantised copies, the optimizer's moments, exponents,
 * the rolling cache, the recall stream's memory and the bytes of each stream. Two engines agree if and only if these
 * arrays agree after every step.
 */

import { Exponents, GradientScales } from "./exponents.ts";
import { clamp, roundShift } from "./fixed.ts";
import { ACTIVATION_BITS, EMBEDDING_LIMIT, OPERAND_LIMIT, SCALE_LIMIT, SCALE_SHIFT, WEIGHT_BITS } from "./formats.ts";
import type { HyperParameters } from "./hyper.ts";
import { initialWeights, largestMagnitude } from "./initial.ts";
import {
  activationExponent,
  gradientExponent,
  QUANTISED_WEIGHTS,
  type QuantisedActivation,
  type QuantisedGradient,
  type QuantisedWeight,
  weightExponent,
} from "./network.ts";
import { RecallState } from "./recall-state.ts";
import { learningRates } from "./schedule.ts";
import { type Layout, layoutOf, type Tensor, type TensorName } from "./tensors.ts";

export class State {
  readonly layout: Layout;
  /** Master weights, Q24. */
  readonly master: Int32Array;
  /** First moments of the optimizer. */
  readonly moment: Int32Array;
  /** Second moments of the optimizer. */
  readonly square: Int32Array;
  /** int8 copies of the matrices, at the same offsets as their masters. */
  readonly copy: Int8Array;
  /** int16 copy of the embedding, 256 x D. */
  readonly embedding: Int16Array;
  readonly exponents: Exponents;
  readonly gradientScales: GradientScales;
  readonly rates: Int32Array;
  /** Cached values of the global stream, Q8, B x G as a ring of S values a step. */
  readonly cache: Int32Array;
  /** The recall stream's memory, and the bytes of each stream. */
  readonly recall: RecallState;
  /** Steps that have been learned from. */
  step = 0;
  /** Steps in which the network trained: what the optimizer counts. */
  trained = 0;

  constructor(readonly hyper: HyperParameters) {
    this.layout = layoutOf(hyper);
    this.master = initialWeights(this.layout);
    this.moment = new Int32Array(this.layout.parameterCount);
    this.square = new Int32Array(this.layout.parameterCount);
    this.copy = new Int8Array(this.layout.parameterCount);
    this.embedding = new Int16Array(256 * hyper.embedding);
    this.exponents = new Exponents(hyper);
    this.gradientScales = new GradientScales(this.layout);
    this.rates = learningRates(hyper.learningRate);
    this.cache = new Int32Array(hyper.streams * hyper.globalHidden);
    this.recall = new RecallState(hyper);
    for (const name of QUANTISED_WEIGHTS) {
      const { offset, size } = this.tensor(name);
      this.exponents.holdInitial(weightExponent(name), largestMagnitude(this.master, offset, size));
      this.copyWeights(name);
    }
  }

  tensor(name: TensorName): Tensor {
    return this.layout.byName[name];
  }

  /** Rewrites the quantised copy of a tensor from its master, with its current shift. */
  copyWeights(name: QuantisedWeight): void {
    const { offset, size } = this.tensor(name);
    const shift = this.exponents.shift[weightExponent(name)] as number;
    for (let i = 0; i < size; i++) {
      const value = roundShift(this.master[offset + i] as number, shift);
      if (name === "embedding") this.embedding[i] = clamp(value, EMBEDDING_LIMIT);
      else this.copy[offset + i] = clamp(value, OPERAND_LIMIT);
    }
  }

  /** A vector's element as Q12, saturating at ±8: norm scales, taps, skips. */
  scaleAt(tensor: Tensor, index: number): number {
    return clamp(roundShift(this.master[tensor.offset + index] as number, SCALE_SHIFT), SCALE_LIMIT);
  }

  /** A vector's element as Q`bits`, Q10 if nothing is said: biases and norm shifts. */
  biasAt(tensor: Tensor, index: number, bits: number = ACTIVATION_BITS): number {
    return roundShift(this.master[tensor.offset + index] as number, WEIGHT_BITS - bits);
  }

  activationShift(name: QuantisedActivation): number {
    return this.exponents.shift[activationExponent(name)] as number;
  }

  gradientShift(name: QuantisedGradient): number {
    return this.exponents.shift[gradientExponent(name)] as number;
  }

  /** The shift of the weights' copy in use. */
  weightShift(name: QuantisedWeight): number {
    return this.exponents.copyShift[weightExponent(name)] as number;
  }
}
