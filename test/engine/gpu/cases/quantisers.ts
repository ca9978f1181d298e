/**
 * Cases of the kernels that make operands of matrix products: int8 activations, the cache by age, int16 gradients.
 */

import { Exponents, gradientOperandLimit } from "../../../../src/contract/exponents.ts";
import { OPERAND_LIMIT } from "../../../../src/contract/formats.ts";
import { activationExponent, EXPONENT_COUNT, gradientExponent } from "../../../../src/contract/network.ts";
import { elementGroups } from "../../../../src/engine/gpu/kernel.ts";
import { quantise } from "../../../../src/engine/reference/linear.ts";
import { range, values, type Words } from "../../../support/gpu-values.ts";
import { pack4 } from "../../../support/packed.ts";
import {
  ACTIVATION,
  controlWith,
  foldedGroups,
  type KernelCase,
  type Named,
  output,
  type Shape,
  shapeWith,
  WEIGHT,
} from "./case.ts";

/** The reference's exponents with one exponent as the kernel finds it. */
function exponentsWith(shape: Shape, exponent: number, arrays: Named): Exponents {
  const exponents = new Exponents(shape.hyper);
  exponents.shift[exponent] = arrays.control![exponent] as number;
  exponents.seen.set(arrays.seen as Words);
  return exponents;
}

function activations(count: number): KernelCase {
  const shape = shapeWith({});
  const exponent = activationExponent("coarse");
  return {
    kernel: "quantise_activation",
    title: `${count} values`,
    shared: shape.shared,
    constants: { COUNT: count, EXPONENT: exponent },
    workgroups: foldedGroups(Math.ceil(count / 256)),
    inputs: {
      x: values(count, ACTIVATION),
      control: (random) => controlWith(shape, { [exponent]: random.between(0, 16) }),
      seen: range(EXPONENT_COUNT, 0, ACTIVATION),
      operand: output(count / 4),
    },
    expect: (arrays: Named) => {
      const exponents = exponentsWith(shape, exponent, arrays);
      const operand = new Int8Array(count);
      quantise(exponents, exponent, arrays.x as Words, OPERAND_LIMIT, operand);
      arrays.operand!.set(pack4(operand));
      arrays.seen!.set(exponents.seen);
    },
  };
}

function cacheOperand(G: number, S: number, streams: number): KernelCase {
  const shape = shapeWith({ globalHidden: G, cacheStep: S, streams });
  const exponent = activationExponent("cache");
  const { step } = shape.places;
  return {
    kernel: "cache_operand",
    title: `${streams} rings of ${G / S} exponents of ${S}`,
    shared: shape.shared,
    constants: { EXPONENT: exponent },
    workgroups: foldedGroups(Math.ceil((streams * G) / 256)),
    inputs: {
      cache: values(streams * G, ACTIVATION),
      control: (random) => controlWith(shape, { [exponent]: random.between(0, 9), [step]: random.between(0, 1 << 30) }),
      seen: range(EXPONENT_COUNT, 0, ACTIVATION),
      operand: output((streams * G) / 4),
    },
    expect: (arrays: Named) => {
      const oldest = (((arrays.control![step] as number) % (G / S)) + 1) * S;
      const aged = arrays.cache!.map((_, i) => {
        const row = Math.floor(i / G) * G;
        return arrays.cache![row + ((oldest + (i % G)) % G)] as number;
      });
      const exponents = exponentsWith(shape, exponent, arrays);
      const operand = new Int8Array(streams * G);
      quantise(exponents, exponent, aged, OPERAND_LIMIT, operand);
      arrays.operand!.set(pack4(operand));
      arrays.seen!.set(exponents.seen);
    },
  };
}

function gradients(count: number, start: number, streams: number): KernelCase {
  const shape = shapeWith({ streams });
  const exponent = gradientExponent("gate");
  return {
    kernel: "quantise_gradient",
    title: `${count} values from ${start}, limit of ${streams} streams`,
    shared: shape.shared,
    constants: { COUNT: count, EXPONENT: exponent, START: start },
    workgroups: elementGroups(count / 4),
    inputs: {
      x: values(start + count, WEIGHT),
      control: (random) => controlWith(shape, { [exponent]: random.between(0, 24) }),
      seen: range(EXPONENT_COUNT, 0, WEIGHT),
      operand: output(count),
    },
    expect: (arrays: Named) => {
      const exponents = exponentsWith(shape, exponent, arrays);
      const operand = new Int16Array(count);
      quantise(exponents, exponent, arrays.x!.subarray(start), gradientOperandLimit(streams), operand);
      arrays.operand!.set(operand);
      arrays.seen!.set(exponents.seen);
    },
  };
}

export const QUANTISER_CASES: readonly KernelCase[] = [
  activations(4),
  activations(33 * 32),
  cacheOperand(32, 4, 5),
  cacheOperand(96, 32, 33),
  cacheOperand(32, 32, 1),
  gradients(5 * 32, 0, 5),
  gradients(33 * 16, 33 * 16, 16384),
];
