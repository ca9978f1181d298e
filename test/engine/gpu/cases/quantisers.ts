/**
 * Cases of the kernels that make operands of matrix products: int8 activations, the cache by age, int16 gradients.
 */
import { elementGroups } from "../../../../src/engine/gpu/kernel.ts";
import { Exponents, gradientOperandLimit } from "../../../../src/model/reference/exponents.ts";
import { quantiseActivation, quantiseGradient } from "../../../../src/model/reference/linear.ts";
import { activationSlot, gradientSlot, SLOT_COUNT } from "../../../../src/model/tensors.ts";
import { range, values, type Words } from "../../../support/gpu-values.ts";
import { pack4 } from "../../../support/packed.ts";
import {
  ACTIVATION,
  foldedGroups,
  type KernelCase,
  type Named,
  output,
  type Shape,
  shapeWith,
  shiftsWith,
  WEIGHT,
} from "./case.ts";

/** The reference's exponents with one slot as the kernel finds it. */
function exponentsWith(shape: Shape, slot: number, arrays: Named): Exponents {
  const exponents = new Exponents(shape.hyper);
  exponents.shift[slot] = arrays.shifts![slot] as number;
  exponents.seen.set(arrays.seen as Words);
  return exponents;
}

function activations(count: number): KernelCase {
  const shape = shapeWith({});
  const slot = activationSlot("coarse");
  return {
    kernel: "quantise_activation",
    title: `${count} values`,
    shared: shape.shared,
    constants: { COUNT: count, SLOT: slot },
    workgroups: foldedGroups(Math.ceil(count / 256)),
    inputs: {
      x: values(count, ACTIVATION),
      shifts: (random) => shiftsWith(shape, { [slot]: random.between(0, 16) }),
      seen: range(SLOT_COUNT, 0, ACTIVATION),
      operand: output(count / 4),
    },
    expect: (arrays: Named) => {
      const exponents = exponentsWith(shape, slot, arrays);
      const operand = new Int8Array(count);
      quantiseActivation(exponents, slot, arrays.x as Words, operand);
      arrays.operand!.set(pack4(operand));
      arrays.seen!.set(exponents.seen);
    },
  };
}

function cacheOperand(G: number, S: number, streams: number): KernelCase {
  const shape = shapeWith({ globalHidden: G, slot: S, streams });
  const slot = activationSlot("cache");
  const { step } = shape.places;
  return {
    kernel: "cache_operand",
    title: `${streams} rings of ${G / S} slots of ${S}`,
    shared: shape.shared,
    constants: { SLOT: slot },
    workgroups: foldedGroups(Math.ceil((streams * G) / 256)),
    inputs: {
      cache: values(streams * G, ACTIVATION),
      shifts: (random) => shiftsWith(shape, { [slot]: random.between(0, 9), [step]: random.between(0, 1 << 30) }),
      seen: range(SLOT_COUNT, 0, ACTIVATION),
      operand: output((streams * G) / 4),
    },
    expect: (arrays: Named) => {
      const oldest = (((arrays.shifts![step] as number) % (G / S)) + 1) * S;
      const aged = arrays.cache!.map((_, i) => {
        const row = Math.floor(i / G) * G;
        return arrays.cache![row + ((oldest + (i % G)) % G)] as number;
      });
      const exponents = exponentsWith(shape, slot, arrays);
      const operand = new Int8Array(streams * G);
      quantiseActivation(exponents, slot, aged, operand);
      arrays.operand!.set(pack4(operand));
      arrays.seen!.set(exponents.seen);
    },
  };
}

function gradients(count: number, start: number, streams: number): KernelCase {
  const shape = shapeWith({ streams });
  const slot = gradientSlot("gate");
  return {
    kernel: "quantise_gradient",
    title: `${count} values from ${start}, limit of ${streams} streams`,
    shared: shape.shared,
    constants: { COUNT: count, SLOT: slot, START: start },
    workgroups: elementGroups(count / 4),
    inputs: {
      x: values(start + count, WEIGHT),
      shifts: (random) => shiftsWith(shape, { [slot]: random.between(0, 24) }),
      seen: range(SLOT_COUNT, 0, WEIGHT),
      operand: output(count),
    },
    expect: (arrays: Named) => {
      const exponents = exponentsWith(shape, slot, arrays);
      const operand = new Int16Array(count);
      quantiseGradient(exponents, slot, arrays.x!.subarray(start), gradientOperandLimit(streams), operand);
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
