/**
 * Weight gradients and the optimizer, split by rows of the weights: src/engine/reference/optimizer.ts for one thread's
 * share of every tensor. Runs when all threads have finished the backward pass.
 */

import { EMBEDDING_LIMIT, OPERAND_LIMIT } from "../../contract/formats.ts";
import {
  MATRICES,
  MATRIX_NAMES,
  type MatrixName,
  type OperandName,
  QUANTISED_WEIGHTS,
  type QuantisedGradient,
  weightExponent,
} from "../../contract/network.ts";
import { squareDither } from "../../contract/schedule.ts";
import type { Tensor, TensorName } from "../../contract/tensors.ts";
import { share } from "./control.ts";
import { ACTIVATION_INDEX, GRADIENT_INDEX, isSummed } from "./layout.ts";
import type { EngineThread } from "./thread.ts";

export class Optimizer {
  readonly #vectors: readonly Tensor[];
  /** The exponent of each tensor's weights; -1 for those that have no copy. */
  readonly #weights: Int32Array;
  /** This thread's part of each tensor, where one is split by its size: from, to. */
  readonly #shares: Int32Array;

  constructor(
    readonly thread: EngineThread,
    readonly logitShift: number,
  ) {
    const { tensors } = thread.at.layout;
    this.#vectors = tensors.filter((tensor) => tensor.kind === "vector" && isSummed(tensor));
    const shareOf = (tensor: Tensor) => share(this.#partsOf(tensor), thread.index, thread.threads);
    this.#shares = Int32Array.from(tensors.flatMap(shareOf));
    const exponentOf = (name: TensorName) => QUANTISED_WEIGHTS.find((each) => each === name);
    this.#weights = Int32Array.from(tensors, ({ name }) => {
      const found = exponentOf(name);
      return found === undefined ? -1 : weightExponent(found);
    });
  }

  /** Updates this thread's share of all tensors with `rate`; 0 measures, and rewrites the copies. */
  run(rate: number): void {
    for (const name of MATRIX_NAMES) this.#matrix(name, rate);
    this.#streamMatrices(rate);
    this.#embedding(rate);
    for (const tensor of this.#vectors) this.#vector(tensor, rate);
    this.#streamBiases(rate);
  }

  /** Into how many parts a tensor may be split: eights of outputs or of values, or rows. */
  #partsOf({ name, kind, rows, size }: Tensor): number {
    if (kind === "matrix") return this.thread.at.shapes[name as MatrixName][0] / 8;
    return kind === "vector" ? Math.ceil(size / 8) : rows;
  }

  #gradientShift(name: QuantisedGradient): number {
    return this.thread.exponents.shift[GRADIENT_INDEX[name]] as number;
  }

  #activationShift(name: OperandName): number {
    return name === "feature" ? 0 : (this.thread.exponents.shift[ACTIVATION_INDEX[name]] as number);
  }

  /**
   * Prepares the context in which a tensor is updated. (Begin and end, rather than an update as a function between
   * them: closures would be garbage, dozens a step, and beside a large WebAssembly.Memory it is not collected soon.)
   */
  #begin(tensor: Tensor, exponent: number, rate: number): number {
    const { kernels, at, index, exponents, gradientScales } = this.thread;
    const { context } = at.threads[index]!;
    const weight = this.#weights[tensor.index] as number;
    kernels.beginTensor(
      context,
      exponent - (gradientScales.scale[tensor.index] as number),
      gradientScales.moved[tensor.index] as number,
      rate,
      weight < 0 ? 0 : (exponents.shift[weight] as number),
      tensor.name === "embedding" ? EMBEDDING_LIMIT : OPERAND_LIMIT,
      squareDither(this.thread.trained),
    );
    return context;
  }

  /** Notes what the update saw. */
  #end(tensor: Tensor, exponent: number, context: number): void {
    const { kernels } = this.thread;
    const weight = this.#weights[tensor.index] as number;
    this.thread.noteGradient(tensor.index, kernels.seenGradient(context), exponent);
    if (weight >= 0) this.thread.note(weight, kernels.seenWeight(context));
  }

  #matrix(name: MatrixName, rate: number): void {
    const { kernels, at, index } = this.thread;
    const tensor = at.layout.byName[name];
    const from = 2 * (this.#shares[2 * tensor.index] as number);
    const to = 2 * (this.#shares[2 * tensor.index + 1] as number);
    if (tensor.size === 0 || from === to) return;
    const [outputs, inputs] = at.shapes[name];
    const { branches, operand: multiplied } = MATRICES[name];
    const pairs = (at.rows * branches) / 2;
    const { panels: g } = at.gradientOperands[name];
    const { state, forward, backward } = at.matrices[name];
    const operand = at.operands[multiplied];
    // The newest values see the last position only: the last panels of the input.
    const skippedPanels = operand.columns / branches / 8 - inputs / 8;
    const x = operand.panels + skippedPanels * pairs * 32;
    const shift = name === "logits" ? this.logitShift : this.#gradientShift(name);
    const { scratch } = at.threads[index]!;
    const exponent = shift + this.#activationShift(multiplied);
    const context = this.#begin(tensor, exponent, rate);
    kernels.trainMatrix(context, g, x, pairs, from, to, outputs, inputs, state, forward, backward, scratch);
    this.#end(tensor, exponent, context);
    const bias = at.layout.byName[`${name}Bias`];
    const sums = at.biasGradient(bias.name);
    kernels.sumRows(g, pairs, from, to, sums);
    this.#begin(bias, shift, rate);
    this.#natural(context, sums + from * 16, 1, 4 * (to - from), at.master(bias.name) + from * 16);
    this.#end(bias, shift, context);
  }

  /** Updates `count` neighbours in natural order. */
  #natural(context: number, gradient: number, parts: number, count: number, master: number, copy = 0): void {
    const { kernels, at, index } = this.thread;
    const { scratch } = at.threads[index]!;
    const partBytes = parts === 1 ? 0 : at.threads[1]!.sums - at.threads[0]!.sums;
    kernels.trainVector(context, gradient, parts, partBytes, count, master, at.stateBytes, copy, scratch);
  }

  #streamMatrices(rate: number): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    if (from === to) return;
    const exponent = this.#gradientShift("memory") + this.#activationShift("downOut");
    const g = at.gradientOperands.memory.panels;
    const x = at.operands.downOut.panels;
    const { state, forward, backward } = at.matrices.memory;
    const C = hyper.coarseHidden;
    const { scratch } = at.threads[index]!;
    const context = this.#begin(at.layout.byName.memory, exponent, rate);
    kernels.trainStreams(context, g, x, at.rows, from, to, C, state, forward, backward, scratch);
    this.#end(at.layout.byName.memory, exponent, context);
  }

  #embedding(rate: number): void {
    const { at, hyper, threads, exponents } = this.thread;
    const tensor = at.layout.byName.embedding;
    const from = this.#shares[2 * tensor.index] as number;
    const to = this.#shares[2 * tensor.index + 1] as number;
    const D = hyper.embedding;
    const start = from * D * 4;
    const exponent = -(exponents.copyShift[weightExponent("embedding")] as number);
    const context = this.#begin(tensor, exponent, rate);
    const master = at.master("embedding") + start;
    const copy = at.embedding + start / 2;
    this.#natural(context, at.sums("embedding", 0) + start, threads, (to - from) * D, master, copy);
    this.#end(tensor, exponent, context);
  }

  #vector(tensor: Tensor, rate: number): void {
    const { at, threads } = this.thread;
    const from = this.#shares[2 * tensor.index] as number;
    const to = this.#shares[2 * tensor.index + 1] as number;
    if (from === to) return;
    const context = this.#begin(tensor, 0, rate);
    const gradient = at.sums(tensor.name, 0) + from * 32;
    this.#natural(context, gradient, threads, 8 * (to - from), at.master(tensor.name) + from * 32);
    this.#end(tensor, 0, context);
  }

  #streamBiases(rate: number): void {
    const { at, from, to } = this.thread;
    if (from === to) return;
    const tensor = at.layout.byName.memoryBias;
    const start = from * tensor.columns * 4;
    const context = this.#begin(tensor, 0, rate);
    const count = (to - from) * tensor.columns;
    this.#natural(context, at.gradients.coarse + start, 1, count, at.master("memoryBias") + start);
    this.#end(tensor, 0, context);
  }
}
