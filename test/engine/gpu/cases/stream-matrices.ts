/**
 * Cases of the streams' own matrices, forward and backward; their update is in optimizer.ts.
 */
import { clampActivation, clampGradient, roundShift } from "../../../../src/model/fixed.ts";
import {
  backwardShift,
  forwardShift,
  multiplyBackward,
  multiplyForward,
  rowsOf,
} from "../../../../src/model/reference/linear.ts";
import { activationSlot, gradientSlot, PRODUCT_FORMATS, weightSlot } from "../../../../src/model/tensors.ts";
import { operands, type Random, values, type Words } from "../../../support/gpu-values.ts";
import { unpack4 } from "../../../support/packed.ts";
import { foldedGroups, type KernelCase, type Named, output, type Shape, shapeWith, shiftsWith } from "./case.ts";

const COPY_AT = 3;
const ACTIVATION_SLOT = activationSlot("downOut");
const WEIGHT_SLOT = weightSlot("memory");
const GRADIENT_SLOT = gradientSlot("memory");
const CONSTANTS = { COPY_AT, ACTIVATION_SLOT, WEIGHT_SLOT, GRADIENT_SLOT };

function drawShifts(shape: Shape, random: Random): Words {
  return shiftsWith(shape, {
    [ACTIVATION_SLOT]: random.between(0, 8),
    [GRADIENT_SLOT]: random.between(0, 19),
    [shape.places.copyShifts + WEIGHT_SLOT]: random.between(0, 24),
  });
}

function forward(C: number, streams: number): KernelCase {
  const shape = shapeWith({ coarseHidden: C, streams });
  return {
    kernel: "stream_linear",
    title: `${streams} streams, ${C} x ${C}`,
    shared: shape.shared,
    constants: CONSTANTS,
    workgroups: foldedGroups(Math.ceil((streams * C) / 64)),
    inputs: {
      x: operands(2 * streams * C),
      copies: operands(4 * COPY_AT + streams * C * C),
      shifts: (random) => drawShifts(shape, random),
      out: output(2 * streams * C),
    },
    expect: ({ x, copies, shifts, out }: Named) => {
      const [left, weights] = [unpack4(x as Words), unpack4(copies as Words)];
      for (let b = 0; b < streams; b++) {
        const rows = rowsOf(left, 2, C, b * 2 * C);
        multiplyForward(rows, weights, 4 * COPY_AT + b * C * C, C, C, out as Words, b * 2 * C);
      }
      const weightShift = shifts![shape.places.copyShifts + WEIGHT_SLOT] as number;
      const right = forwardShift(PRODUCT_FORMATS.memory, shifts![ACTIVATION_SLOT] as number, weightShift);
      out!.set(out!.map((sum) => clampActivation(roundShift(sum, right))));
    },
  };
}

function backward(C: number, streams: number): KernelCase {
  const shape = shapeWith({ coarseHidden: C, streams });
  return {
    kernel: "stream_linear_inputs",
    title: `${streams} streams, ${C} x ${C}`,
    shared: shape.shared,
    constants: CONSTANTS,
    workgroups: foldedGroups(Math.ceil((streams * C) / 256)),
    inputs: {
      gradient: values(2 * streams * C, 32639),
      copies: operands(4 * COPY_AT + streams * C * C),
      shifts: (random) => drawShifts(shape, random),
      out: output(2 * streams * C),
    },
    expect: ({ gradient, copies, shifts, out }: Named) => {
      const [left, weights] = [Int16Array.from(gradient as Words), unpack4(copies as Words)];
      for (let b = 0; b < streams; b++) {
        const rows = rowsOf(left, 2, C, b * 2 * C);
        multiplyBackward(rows, weights, 4 * COPY_AT + b * C * C, C, C, out as Words, b * 2 * C);
      }
      const weightShift = shifts![shape.places.copyShifts + WEIGHT_SLOT] as number;
      const right = backwardShift(shifts![GRADIENT_SLOT] as number, weightShift);
      out!.set(out!.map((sum) => clampGradient(roundShift(sum, right))));
    },
  };
}

export const STREAM_MATRIX_CASES: readonly KernelCase[] = [
  forward(16, 5),
  forward(128, 3),
  backward(16, 33),
  backward(128, 3),
];
