/**
 * The integer backward pass against numeric differences of the float twin's loss: every tensor's gradient must point
 * the same way, and have the length that its exponents promise; with a recall stream and without one.
 */
import { describe, expect, test } from "bun:test";
import { gradientOperandLimit } from "../../src/contract/exponents.ts";
import { ceilLog2 } from "../../src/contract/fixed.ts";
import { ACTIVATION_BITS, GRADIENT_BITS, WEIGHT_BITS } from "../../src/contract/formats.ts";
import { type HyperParameters, widthOf } from "../../src/contract/hyper.ts";
import { MATRICES, type MatrixName, MEMORY_FORMAT, NORM_NAMES, normWidth } from "../../src/contract/network.ts";
import type { Tensor, TensorName } from "../../src/contract/tensors.ts";
import { ReferenceModel } from "../../src/engine/reference/engine.ts";
import { FloatTwin } from "./float-twin.ts";
import { TINY, TINY_RECALL, textBytes } from "./tiny.ts";

const SAMPLES = 40;
/** Numeric differences: small against the curvature, large against doubles. */
const EPSILON = 1e-4;
/** Tensors that only a model with contexts has. */
const RECALL_TENSORS: readonly TensorName[] = ["feature", "recallGate", "featureBias", "recallGateBias"];

/** Half of the elements with the largest gradients of the tensor, half of any: small ones must be small. */
function sampled(tensor: Tensor, gradient: Int32Array): number[] {
  const all = Array.from(gradient.keys());
  if (tensor.size <= SAMPLES) return all;
  const bySize = all.toSorted((a, b) => Math.abs(gradient[b] as number) - Math.abs(gradient[a] as number));
  const stride = Math.floor(tensor.size / (SAMPLES / 2));
  return [...bySize.slice(0, SAMPLES / 2), ...all.filter((i) => i % stride === 1)];
}

/** A model in the middle of its first text, and the twin of its state before it learns the next bytes. */
class Comparison {
  readonly model: ReferenceModel;
  readonly twin: FloatTwin;
  readonly #bytes: Uint8Array;

  constructor(
    readonly hyper: HyperParameters,
    stepsBefore: number,
  ) {
    this.model = new ReferenceModel(hyper);
    for (let step = 0; step < stepsBefore; step++) {
      this.model.forward.run();
      this.model.train(textBytes(step, hyper.streams));
    }
    this.#bytes = textBytes(stepsBefore, hyper.streams);
    this.model.forward.run();
    this.twin = new FloatTwin(this.model.forward);
    this.model.backward.run(this.#bytes, true);
  }

  gradientOf({ offset, size }: Tensor): Int32Array {
    return this.model.backward.gradient.subarray(offset, offset + size);
  }

  numericDerivative(name: TensorName, index: number): number {
    const weights = this.twin.weights[name];
    const original = weights[index] as number;
    weights[index] = original + EPSILON;
    const above = this.twin.loss(this.#bytes);
    weights[index] = original - EPSILON;
    const below = this.twin.loss(this.#bytes);
    weights[index] = original;
    return (above - below) / (2 * EPSILON);
  }

  /** log2 of the unit of a tensor's accumulated gradient: docs/NUMERICS.md section 6. */
  unitLog2(tensor: Tensor): number {
    const { hyper } = this;
    const { name, kind, index } = tensor;
    const exponent = this.model.backward.exponent[index] as number;
    if (kind === "matrix" || kind === "streamMatrix") {
      return (
        exponent - GRADIENT_BITS - (name === "memory" ? MEMORY_FORMAT : MATRICES[name as MatrixName].format).inputBits
      );
    }
    if (kind === "embedding") return exponent + 3 + WEIGHT_BITS - ACTIVATION_BITS - GRADIENT_BITS;
    const positionsLog2 = ceilLog2(hyper.streams * hyper.history);
    if (name === "memoryBias" || name.endsWith("Bias")) {
      return exponent - GRADIENT_BITS + (name === "tapBias" ? positionsLog2 : 0);
    }
    if (name === "tap") return positionsLog2 - GRADIENT_BITS;
    if (name.endsWith("Skip")) return ceilLog2(hyper.streams) + ceilLog2(widthOf(hyper)) - GRADIENT_BITS;
    const norm = NORM_NAMES.find((candidate) => name.startsWith(candidate)) ?? "inputNorm";
    return ceilLog2((hyper.streams * widthOf(hyper)) / normWidth(hyper, norm)) - GRADIENT_BITS;
  }
}

/** In step 47 all contexts hit, and seven of the thirteen slots that hit remember two bytes. */
const MODELS = [
  ["without contexts", TINY, 60],
  ["with contexts", TINY_RECALL, 47],
] as const;

describe.each(MODELS)("%s", (_, hyper, stepsBefore) => {
  const comparison = new Comparison(hyper, stepsBefore);
  const tensors = comparison.model.state.layout.tensors.filter(({ size }) => size > 0);

  test("the recall stream's tensors are among those that are compared, and remembered bytes among their inputs", () => {
    const compared = tensors.map(({ name }) => name).filter((name) => RECALL_TENSORS.includes(name));
    expect(compared.toSorted()).toEqual(hyper.contexts > 0 ? RECALL_TENSORS.toSorted() : []);
    const hits = comparison.twin.recall.hits.flat();
    expect(new Set(hits.map(({ context }) => context)).size).toBe(hyper.contexts);
    expect(hits.some(({ boostOfB }) => boostOfB !== 0)).toBe(hyper.contexts > 0);
  });

  test("no gradient saturates: exponents are a step late, and a sudden jump would lose its top", () => {
    for (const [name, operand] of Object.entries(comparison.model.backward.operands)) {
      const largest = operand.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect([name, largest < gradientOperandLimit(hyper.streams)]).toEqual([name, true]);
    }
  });

  for (const tensor of tensors) {
    test(`${tensor.name}: the direction of the true gradient, and its length`, () => {
      const gradient = comparison.gradientOf(tensor);
      let product = 0;
      let integerSquare = 0;
      let numericSquare = 0;
      for (const index of sampled(tensor, gradient)) {
        const integer = (gradient[index] as number) * 2 ** comparison.unitLog2(tensor);
        const numeric = comparison.numericDerivative(tensor.name, index);
        product += integer * numeric;
        integerSquare += integer * integer;
        numericSquare += numeric * numeric;
      }
      expect(product / Math.sqrt(integerSquare * numericSquare)).toBeGreaterThan(0.98);
      // A scalar is one number, and int8 activations move it.
      const tolerance = tensor.size === 1 ? 0.25 : 0.1;
      expect(Math.abs(Math.sqrt(integerSquare / numericSquare) - 1)).toBeLessThan(tolerance);
    });
  }
});
