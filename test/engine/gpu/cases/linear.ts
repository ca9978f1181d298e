/**
 * Cases of the shared matrices' kernels but their update (optimizer.ts): odd numbers of rows, shapes just beyond one
 * workgroup's tile, the longest sums, and backward sums that wrap.
 */

import { backwardShift, forwardShift } from "../../../../src/contract/exponents.ts";
import { clamp, clampGradient, roundShift } from "../../../../src/contract/fixed.ts";
import { WEIGHT_BITS } from "../../../../src/contract/formats.ts";
import {
  activationExponent,
  gradientExponent,
  MATRICES,
  type MatrixName,
  weightExponent,
} from "../../../../src/contract/network.ts";
import { flatGroups } from "../../../../src/engine/gpu/kernel.ts";
import { multiplyBackward, multiplyForward, rowsOf } from "../../../../src/engine/reference/linear.ts";
import { operands, type Random, values, type Words } from "../../../support/gpu-values.ts";
import { unpack4 } from "../../../support/packed.ts";
import {
  ANY_I32,
  controlWith,
  GRADIENT,
  type KernelCase,
  type Named,
  output,
  type Shape,
  shapeWith,
  WEIGHT,
} from "./case.ts";

const TILE = 8;
/** Words before the matrix among the copies, and numbers before the bias among the masters. */
const COPY_AT = 6;
const BIAS_AT = 5;
const OPERAND_LIMIT = 32639;
const ACTIVATION_EXPONENT = activationExponent("fineIn");
const WEIGHT_EXPONENT = weightExponent("fine");
const GRADIENT_EXPONENT = gradientExponent("fine");

interface Product {
  readonly rows: number;
  readonly outputs: number;
  readonly inputs: number;
  /** Values in a row of the left operand, and where the row's part begins; the whole row if not said. */
  readonly pitch?: number;
  readonly start?: number;
  /** Whose formats it has; the router's if not said. */
  readonly name?: MatrixName;
  /** So many matrices, each for its share of the rows, and without a bias; one with a bias if not said. */
  readonly matrices?: number;
}

function constantsOf({ rows, outputs, inputs, pitch = inputs, start = 0, name = "router", matrices }: Product) {
  const format = MATRICES[name].format;
  return {
    TILE: matrices ? rows / matrices : TILE,
    ADDS: 0,
    ROWS: rows,
    MATRIX_ROWS: rows / (matrices ?? 1),
    HAS_BIAS: matrices ? 0 : 1,
    OUTPUTS: outputs,
    INPUTS: inputs,
    X_PITCH: pitch / 4,
    X_START: start / 4,
    ACTIVATION_EXPONENT,
    WEIGHT_EXPONENT,
    GRADIENT_EXPONENT,
    COPY_AT,
    BIAS_AT,
    BIAS_DENSE: 7,
    INPUT_BITS: format.inputBits,
    OUTPUT_BITS: format.outputBits,
    OUTPUT_LIMIT: format.outputLimit,
  };
}

const titleOf = ({ rows, outputs, inputs, name, matrices }: Product) =>
  `${rows} rows, ${matrices ? `${matrices} matrices of ` : ""}${outputs} x ${inputs}${name ? ` as ${name}` : ""}`;

/** Workgroups of 8 x 8 invocations, as builder.ts makes them. */
const tiles = (columns: number, { rows, matrices }: Product) => {
  const tile = matrices ? rows / matrices : TILE;
  return [Math.ceil(columns / 64), Math.ceil(rows / tile / 8), 1] as const;
};

/** All shifts that exponents may be: exponents of 8, of 19 and of 24 bits. */
function drawShifts(shape: Shape, random: Random): Words {
  return controlWith(shape, {
    [ACTIVATION_EXPONENT]: random.between(0, 8),
    [GRADIENT_EXPONENT]: random.between(0, 19),
    [shape.places.copyShifts + WEIGHT_EXPONENT]: random.between(0, 24),
  });
}

function forward(product: Product): KernelCase {
  const { rows, outputs, inputs, pitch = inputs, start = 0, name = "router", matrices = 1 } = product;
  const format = MATRICES[name].format;
  const shape = shapeWith({});
  return {
    kernel: "linear",
    title: titleOf(product),
    shared: shape.shared,
    constants: constantsOf(product),
    workgroups: tiles(outputs, product),
    inputs: {
      x: operands(rows * pitch),
      copies: operands(4 * COPY_AT + matrices * outputs * inputs),
      master: values(BIAS_AT + outputs, WEIGHT),
      control: (random) => drawShifts(shape, random),
      out: output(rows * outputs),
    },
    expect: ({ x, copies, master, control, out }: Named) => {
      const [left, weights] = [unpack4(x as Words), unpack4(copies as Words)];
      const each = rows / matrices;
      for (let m = 0; m < matrices; m++) {
        const own = rowsOf(left, each, pitch, m * each * pitch + start);
        const at = 4 * COPY_AT + m * outputs * inputs;
        multiplyForward(own, weights, at, outputs, inputs, out as Words, m * each * outputs);
      }
      const weightShift = control![shape.places.copyShifts + WEIGHT_EXPONENT] as number;
      const right = forwardShift(format, control![ACTIVATION_EXPONENT] as number, weightShift);
      for (let i = 0; i < rows * outputs; i++) {
        const weight = product.matrices ? 0 : (master![BIAS_AT + (i % outputs)] as number);
        const bias = roundShift(weight, WEIGHT_BITS - format.outputBits);
        out![i] = clamp((roundShift(out![i] as number, right) + bias) | 0, format.outputLimit);
      }
    },
  };
}

/** @param adds 1 if `out` holds the gradient of the same input through another layer */
function inputGradient(product: Product, adds: 0 | 1 = 0): KernelCase {
  const { rows, outputs, inputs, matrices = 1 } = product;
  const shape = shapeWith({});
  return {
    kernel: "linear_inputs",
    title: `${titleOf(product)}${adds ? ", added" : ""}`,
    shared: shape.shared,
    constants: { ...constantsOf(product), ADDS: adds },
    workgroups: tiles(inputs, product),
    inputs: {
      gradient: values(rows * outputs, OPERAND_LIMIT),
      copies: operands(4 * COPY_AT + matrices * outputs * inputs),
      control: (random) => drawShifts(shape, random),
      out: adds ? values(rows * inputs, GRADIENT) : output(rows * inputs),
    },
    expect: ({ gradient, copies, control, out }: Named) => {
      const [left, weights] = [Int16Array.from(gradient as Words), unpack4(copies as Words)];
      const before = (out as Words).slice();
      const each = rows / matrices;
      for (let m = 0; m < matrices; m++) {
        const own = rowsOf(left, each, outputs, m * each * outputs);
        const at = 4 * COPY_AT + m * outputs * inputs;
        multiplyBackward(own, weights, at, outputs, inputs, out as Words, m * each * inputs);
      }
      const weightShift = control![shape.places.copyShifts + WEIGHT_EXPONENT] as number;
      const right = backwardShift(control![GRADIENT_EXPONENT] as number, weightShift);
      const here = out!.map((sum) => clampGradient(roundShift(sum, right)));
      out!.set(adds ? here.map((value, i) => clampGradient(value + (before[i] as number))) : here);
    },
  };
}

function biasGradient(rows: number, outputs: number): KernelCase {
  const product = { rows, outputs, inputs: 8 };
  return {
    kernel: "bias_gradient",
    title: titleOf(product),
    constants: constantsOf(product),
    workgroups: flatGroups(Math.ceil(outputs / 8)),
    inputs: { operand: values(rows * outputs, OPERAND_LIMIT), gradient: values(7 + outputs, ANY_I32) },
    expect: ({ operand, gradient }: Named) => {
      gradient!.fill(0, 7);
      for (let i = 0; i < rows * outputs; i++) {
        gradient![7 + (i % outputs)] = (gradient![7 + (i % outputs)] as number) + (operand![i] as number);
      }
    },
  };
}

export const LINEAR_CASES: readonly KernelCase[] = [
  forward({ rows: 1, outputs: 8, inputs: 8 }),
  forward({ rows: 33, outputs: 72, inputs: 40, name: "global" }),
  forward({ rows: 65, outputs: 8, inputs: 8, pitch: 32, start: 24 }),
  forward({ rows: 2, outputs: 8, inputs: 8192, name: "fineOut" }),
  forward({ rows: 5, outputs: 4, inputs: 32, name: "recallGate" }),
  forward({ rows: 33, outputs: 20, inputs: 32, name: "recallGate" }),
  forward({ rows: 33, outputs: 32, inputs: 160, name: "feature" }),
  forward({ rows: 10, outputs: 16, inputs: 16, matrices: 5 }),
  forward({ rows: 6, outputs: 128, inputs: 128, matrices: 3 }),
  inputGradient({ rows: 1, outputs: 8, inputs: 8 }),
  inputGradient({ rows: 33, outputs: 40, inputs: 72 }),
  inputGradient({ rows: 65, outputs: 8, inputs: 16 }),
  inputGradient({ rows: 2, outputs: 16384, inputs: 8 }),
  inputGradient({ rows: 33, outputs: 12, inputs: 32 }, 1),
  inputGradient({ rows: 66, outputs: 16, inputs: 16, matrices: 33 }),
  inputGradient({ rows: 6, outputs: 128, inputs: 128, matrices: 3 }),
  biasGradient(1, 8),
  biasGradient(66, 72),
  biasGradient(33, 20),
];
