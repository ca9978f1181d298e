/**
 * Weight gradients and the optimizer, split by rows of the weights: src/model/reference/optimizer.ts for one thread's
 * share of every tensor. Runs when all threads have finished the backward pass.
 */
import { squareDither } from "../../model/schedule.ts";
import {
  type GradientSlot,
  MATRIX_NAMES,
  type MatrixName,
  OPERAND_OF,
  type Tensor,
  type TensorName,
  WEIGHT_SLOTS,
  weightSlot,
} from "../../model/tensors.ts";
import { share } from "./control.ts";
import { ACTIVATION_INDEX, GRADIENT_INDEX, type OperandName, placedShape } from "./layout.ts";
import type { EngineThread } from "./thread.ts";

/** Matrices of the coarse refiner, whose rows are two branches per stream. */
const BRANCHED: ReadonlySet<TensorName> = new Set<TensorName>(["down", "up", "gate"]);

/** Saturation of the copies: int8 for matrices, int16 for the embedding. */
const MATRIX_LIMIT = 127;
const EMBEDDING_LIMIT = 32767;

export class Optimizer {
  readonly #vectors: readonly Tensor[];

  constructor(
    readonly thread: EngineThread,
    readonly logitShift: number,
  ) {
    const { tensors } = thread.at.layout;
    const isBias = ({ name }: Tensor) => name !== "tapBias" && name.endsWith("Bias");
    this.#vectors = tensors.filter((tensor) => tensor.kind === "vector" && !isBias(tensor));
  }

  /** Updates this thread's share of all tensors with `rate`; 0 measures, and rewrites the copies. */
  run(rate: number): void {
    for (const name of MATRIX_NAMES) this.#matrix(name, rate);
    this.#streamMatrices(rate);
    this.#embedding(rate);
    for (const tensor of this.#vectors) this.#vector(tensor, rate);
    this.#streamBiases(rate);
  }

  #gradientShift(slot: GradientSlot): number {
    return this.thread.exponents.shift[GRADIENT_INDEX[slot]] as number;
  }

  #activationShift(slot: OperandName): number {
    return slot === "feature" ? 0 : (this.thread.exponents.shift[ACTIVATION_INDEX[slot]] as number);
  }

  /** Runs `update` inside a prepared context, then notes what it saw. */
  #train(tensor: Tensor, exponent: number, rate: number, update: (context: number) => void): void {
    const { kernels, at, index, exponents, gradientScales } = this.thread;
    const { context } = at.threads[index]!;
    const named = WEIGHT_SLOTS.find((name) => name === tensor.name);
    const weight = named === undefined ? -1 : weightSlot(named);
    kernels.beginTensor(
      context,
      exponent - (gradientScales.scale[tensor.index] as number),
      gradientScales.moved[tensor.index] as number,
      rate,
      weight < 0 ? 0 : (exponents.shift[weight] as number),
      tensor.name === "embedding" ? EMBEDDING_LIMIT : MATRIX_LIMIT,
      squareDither(this.thread.trained),
    );
    update(context);
    this.thread.noteGradient(tensor.index, kernels.seenGradient(context), exponent);
    if (weight >= 0) this.thread.note(weight, kernels.seenWeight(context));
  }

  #matrix(name: MatrixName, rate: number): void {
    const { kernels, at, hyper, index, threads } = this.thread;
    const tensor = at.layout.byName[name];
    if (tensor.size === 0) return;
    const [outputs, inputs] = placedShape(hyper, name);
    const [fromEight, toEight] = share(outputs / 8, index, threads);
    if (fromEight === toEight) return;
    const [from, to] = [2 * fromEight, 2 * toEight];
    const pairs = BRANCHED.has(name) ? at.rows : at.rows / 2;
    const { panels: g } = at.gradientOperands[name];
    const { state, forward, backward } = at.matrices[name];
    const slot = OPERAND_OF[name];
    const operand = at.operands[slot];
    // The newest values see the last position only: the last panels of the input.
    const skippedPanels = operand.columns / (BRANCHED.has(name) ? 2 : 1) / 8 - inputs / 8;
    const x = operand.panels + skippedPanels * pairs * 32;
    const shift = name === "logits" ? this.logitShift : this.#gradientShift(name);
    const { scratch } = at.threads[index]!;
    this.#train(tensor, shift + this.#activationShift(slot), rate, (context) => {
      kernels.trainMatrix(context, g, x, pairs, from, to, outputs, inputs, state, forward, backward, scratch);
    });
    const bias = at.layout.byName[`${name}Bias`];
    const sums = at.biasGradient(bias.name);
    kernels.sumRows(g, pairs, from, to, sums);
    this.#train(bias, shift, rate, (context) => {
      this.#natural(context, sums + from * 16, 1, 4 * (to - from), at.master(bias.name) + from * 16);
    });
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
    this.#train(at.layout.byName.memory, exponent, rate, (context) => {
      kernels.trainStreams(context, g, x, at.rows, from, to, C, state, forward, backward, scratch);
    });
  }

  #embedding(rate: number): void {
    const { at, hyper, index, threads, exponents } = this.thread;
    const [from, to] = share(256, index, threads);
    const D = hyper.embedding;
    const start = from * D * 4;
    const exponent = -(exponents.copyShift[weightSlot("embedding")] as number);
    this.#train(at.layout.byName.embedding, exponent, rate, (context) => {
      const master = at.master("embedding") + start;
      const copy = at.embedding + start / 2;
      this.#natural(context, at.sums("embedding", 0) + start, threads, (to - from) * D, master, copy);
    });
  }

  #vector(tensor: Tensor, rate: number): void {
    const { at, index, threads } = this.thread;
    const [from, to] = share(Math.ceil(tensor.size / 8), index, threads);
    if (from === to) return;
    this.#train(tensor, 0, rate, (context) => {
      const gradient = at.sums(tensor.name, 0) + from * 32;
      this.#natural(context, gradient, threads, 8 * (to - from), at.master(tensor.name) + from * 32);
    });
  }

  #streamBiases(rate: number): void {
    const { at, from, to } = this.thread;
    if (from === to) return;
    const tensor = at.layout.byName.memoryBias;
    const start = from * tensor.columns * 4;
    this.#train(tensor, 0, rate, (context) => {
      const count = (to - from) * tensor.columns;
      this.#natural(context, at.gradients.coarse + start, 1, count, at.master("memoryBias") + start);
    });
  }
}
