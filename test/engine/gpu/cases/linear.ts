/**
 * Cases of the shared matrices' kernels but their update (optimizer.ts): odd numbers of rows, shapes just beyond one
 * workgroup's tile, the longest sums, and backward sums that wrap.
 */

import { elementGroups } from "../../../../src/engine/gpu/kernel.ts";
import { clamp, clampGradient, roundShift, WEIGHT_BITS } from "../../../../src/model/fixed.ts";
import {
  backwardShift,
  forwardShift,
  multiplyBackward,
  multiplyForward,
  rowsOf,
} from "../../../../src/model/reference/linear.ts";
import {
  activationSlot,
  gradientSlot,
  type MatrixName,
  PRODUCT_FORMATS,
  weightSlot,
} from "../../../../src/model/tensors.ts";
import { operands, type Random, values, type Words } from "../../../support/gpu-values.ts";
import { unpack4 } from "../../../support/packed.ts";
import {
  ANY_I32,
  GRADIENT,
  type KernelCase,
  type Named,
  output,
  type Shape,
  shapeWith,
  shiftsWith,
  WEIGHT,
} from "./case.ts";

const TILE = 8;
/** Words before the matrix among the copies, and numbers before the bias among the masters. */
const COPY_AT = 6;
const BIAS_AT = 5;
const OPERAND_LIMIT = 32639;
const ACTIVATION_SLOT = activationSlot("fineIn");
const WEIGHT_SLOT = weightSlot("fine");
const GRADIENT_SLOT = gradientSlot("fine");

interface Product {
  readonly rows: number;
  readonly outputs: number;
  readonly inputs: number;
  /** Values in a row of the left operand, and where the row's part begins; the whole row if not said. */
  readonly stride?: number;
  readonly start?: number;
  /** Whose formats it has; the router's if not said. */
  readonly name?: MatrixName;
}

function constantsOf({ rows, outputs, inputs, stride = inputs, start = 0, name = "router" }: Product) {
  const format = PRODUCT_FORMATS[name];
  return {
    TILE,
    ADDS: 0,
    ROWS: rows,
    OUTPUTS: outputs,
    INPUTS: inputs,
    X_STRIDE: stride / 4,
    X_START: start / 4,
    ACTIVATION_SLOT,
    WEIGHT_SLOT,
    GRADIENT_SLOT,
    COPY_AT,
    BIAS_AT,
    BIAS_DENSE: 7,
    INPUT_BITS: format.inputBits,
    OUTPUT_BITS: format.outputBits,
    OUTPUT_LIMIT: format.outputLimit,
  };
}

const titleOf = ({ rows, outputs, inputs, name }: Product) =>
  `${rows} rows, ${outputs} x ${inputs}${name ? ` as ${name}` : ""}`;

/** Workgroups of 8 x 8 invocations, as step.ts makes them. */
const tiles = (columns: number, rows: number) => [Math.ceil(columns / 64), Math.ceil(rows / 64), 1] as const;

/** All shifts that slots may have: exponents of 8, of 19 and of 24 bits. */
function drawShifts(shape: Shape, random: Random): Words {
  return shiftsWith(shape, {
    [ACTIVATION_SLOT]: random.between(0, 8),
    [GRADIENT_SLOT]: random.between(0, 19),
    [shape.places.copyShifts + WEIGHT_SLOT]: random.between(0, 24),
  });
}

function forward(product: Product): KernelCase {
  const { rows, outputs, inputs, stride = inputs, start = 0, name = "router" } = product;
  const format = PRODUCT_FORMATS[name];
  const shape = shapeWith({});
  return {
    kernel: "linear",
    title: titleOf(product),
    shared: shape.shared,
    constants: constantsOf(product),
    workgroups: tiles(outputs, rows),
    inputs: {
      x: operands(rows * stride),
      copies: operands(4 * COPY_AT + outputs * inputs),
      master: values(BIAS_AT + outputs, WEIGHT),
      shifts: (random) => drawShifts(shape, random),
      out: output(rows * outputs),
    },
    expect: ({ x, copies, master, shifts, out }: Named) => {
      const left = rowsOf(unpack4(x as Words), rows, stride, start);
      multiplyForward(left, unpack4(copies as Words), 4 * COPY_AT, outputs, inputs, out as Words);
      const weightShift = shifts![shape.places.copyShifts + WEIGHT_SLOT] as number;
      const right = forwardShift(format, shifts![ACTIVATION_SLOT] as number, weightShift);
      for (let i = 0; i < rows * outputs; i++) {
        const bias = roundShift(master![BIAS_AT + (i % outputs)] as number, WEIGHT_BITS - format.outputBits);
        out![i] = clamp((roundShift(out![i] as number, right) + bias) | 0, format.outputLimit);
      }
    },
  };
}

/** @param adds 1 if `out` holds the gradient of the same input through another layer */
function inputGradient(product: Product, adds: 0 | 1 = 0): KernelCase {
  const { rows, outputs, inputs } = product;
  const shape = shapeWith({});
  return {
    kernel: "linear_inputs",
    title: `${titleOf(product)}${adds ? ", added" : ""}`,
    shared: shape.shared,
    constants: { ...constantsOf(product), ADDS: adds },
    workgroups: tiles(inputs, rows),
    inputs: {
      gradient: values(rows * outputs, OPERAND_LIMIT),
      copies: operands(4 * COPY_AT + outputs * inputs),
      shifts: (random) => drawShifts(shape, random),
      out: adds ? values(rows * inputs, GRADIENT) : output(rows * inputs),
    },
    expect: ({ gradient, copies, shifts, out }: Named) => {
      const left = rowsOf(Int16Array.from(gradient as Words), rows, outputs);
      const before = (out as Words).slice();
      multiplyBackward(left, unpack4(copies as Words), 4 * COPY_AT, outputs, inputs, out as Words);
      const weightShift = shifts![shape.places.copyShifts + WEIGHT_SLOT] as number;
      const right = backwardShift(shifts![GRADIENT_SLOT] as number, weightShift);
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
    shared: shapeWith({}).shared,
    constants: constantsOf(product),
    workgroups: elementGroups(outputs),
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
  forward({ rows: 65, outputs: 8, inputs: 8, stride: 32, start: 24 }),
  forward({ rows: 2, outputs: 8, inputs: 8192, name: "fineOut" }),
  forward({ rows: 5, outputs: 4, inputs: 32, name: "recallGate" }),
  forward({ rows: 33, outputs: 20, inputs: 32, name: "recallGate" }),
  forward({ rows: 33, outputs: 32, inputs: 160, name: "feature" }),
  inputGradient({ rows: 1, outputs: 8, inputs: 8 }),
  inputGradient({ rows: 33, outputs: 40, inputs: 72 }),
  inputGradient({ rows: 65, outputs: 8, inputs: 16 }),
  inputGradient({ rows: 2, outputs: 16384, inputs: 8 }),
  inputGradient({ rows: 33, outputs: 12, inputs: 32 }, 1),
  biasGradient(1, 8),
  biasGradient(66, 72),
  biasGradient(33, 20),
];
