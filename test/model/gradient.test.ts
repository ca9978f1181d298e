/**
 * The integer backward pass against numeric differences of the float twin's loss: every tensor's gradient must point
 * the same way, and have the length that its exponents promise.
 */
import { expect, test } from "bun:test";
import { ACTIVATION_BITS, ceilLog2, GRADIENT_BITS, WEIGHT_BITS } from "../../src/model/fixed.ts";
import { widthOf } from "../../src/model/hyper.ts";
import { ReferenceModel } from "../../src/model/reference/engine.ts";
import { NORM_NAMES, normWidth, PRODUCT_FORMATS, type Tensor, type TensorName } from "../../src/model/tensors.ts";
import { FloatTwin } from "./float-twin.ts";
import { TINY, textBytes } from "./tiny.ts";

const STREAMS = TINY.streams;
const STEPS_BEFORE = 60;
const SAMPLES = 40;
/** Numeric differences: small against the curvature, large against doubles. */
const EPSILON = 1e-4;

const model = new ReferenceModel(TINY);
for (let step = 0; step < STEPS_BEFORE; step++) {
  model.forward.run();
  model.train(textBytes(step, STREAMS));
}
const bytes = textBytes(STEPS_BEFORE, STREAMS);
model.forward.run();
model.backward.run(bytes, true);
const twin = new FloatTwin(model.state);

/** Half of the elements with the largest gradients of the tensor, half of any: small ones must be small. */
function sampled(tensor: Tensor, gradient: Int32Array): number[] {
  const all = Array.from(gradient.keys());
  if (tensor.size <= SAMPLES) return all;
  const bySize = all.toSorted((a, b) => Math.abs(gradient[b] as number) - Math.abs(gradient[a] as number));
  const stride = Math.floor(tensor.size / (SAMPLES / 2));
  return [...bySize.slice(0, SAMPLES / 2), ...all.filter((i) => i % stride === 1)];
}

function numericDerivative(name: TensorName, index: number): number {
  const weights = twin.weights[name];
  const original = weights[index] as number;
  weights[index] = original + EPSILON;
  const above = twin.loss(bytes);
  weights[index] = original - EPSILON;
  const below = twin.loss(bytes);
  weights[index] = original;
  return (above - below) / (2 * EPSILON);
}

/** log2 of the unit of a tensor's accumulated gradient: docs/NUMERICS.md section 6. */
function unitLog2(tensor: Tensor): number {
  const { name, kind, index } = tensor;
  const exponent = model.backward.exponent[index] as number;
  if (kind === "matrix" || kind === "streamMatrix") {
    return exponent - GRADIENT_BITS - PRODUCT_FORMATS[name as keyof typeof PRODUCT_FORMATS].inputBits;
  }
  if (kind === "embedding") return exponent + 3 + WEIGHT_BITS - ACTIVATION_BITS - GRADIENT_BITS;
  if (name === "memoryBias" || name.endsWith("Bias")) {
    return exponent - GRADIENT_BITS + (name === "tapBias" ? ceilLog2(STREAMS * TINY.history) : 0);
  }
  if (name === "tap") return ceilLog2(STREAMS * TINY.history) - GRADIENT_BITS;
  if (name.endsWith("Skip")) return ceilLog2(STREAMS) + ceilLog2(widthOf(TINY)) - GRADIENT_BITS;
  const norm = NORM_NAMES.find((candidate) => name.startsWith(candidate)) ?? "inputNorm";
  return ceilLog2((STREAMS * widthOf(TINY)) / normWidth(TINY, norm)) - GRADIENT_BITS;
}

for (const tensor of model.state.layout.tensors) {
  test(`${tensor.name}: the direction of the true gradient, and its length`, () => {
    const gradient = model.backward.gradient.subarray(tensor.offset, tensor.offset + tensor.size);
    let product = 0;
    let integerSquare = 0;
    let numericSquare = 0;
    for (const index of sampled(tensor, gradient)) {
      const integer = (gradient[index] as number) * 2 ** unitLog2(tensor);
      const numeric = numericDerivative(tensor.name, index);
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
