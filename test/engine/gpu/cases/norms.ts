/**
 * Cases of the norms, forward and backward, with one and with 64 invocations to a row, odd and even powers of two, and
 * rows that do not fill a workgroup.
 */

import { ceilLog2, clampGradient, mulRound, roundShift } from "../../../../src/contract/fixed.ts";
import { ACTIVATION_BITS, NORM_INPUT_BITS, SCALE_BITS } from "../../../../src/contract/formats.ts";
import { normalise, normaliseBackward, scaleAndShift } from "../../../../src/engine/reference/norm.ts";
import { type Random, values, type Words } from "../../../support/gpu-values.ts";
import {
  ACTIVATION,
  ANY_I32,
  biasOf,
  foldedGroups,
  type KernelCase,
  type Named,
  output,
  scaleOf,
  WEIGHT,
} from "./case.ts";

const SCALE_AT = 3;

/** As step.ts chooses them. */
const lanesOf = (width: number) => (width <= 32 ? 1 : 64);
const groupsOf = (rows: number, width: number) => foldedGroups(Math.ceil((rows * lanesOf(width)) / 64));

/** @param limit of the values: with ±8 rows of 1024 alternating ones make a sum of squares of just 2^16 */
function forward(width: number, rows: number, limit = ACTIVATION): KernelCase {
  const shiftAt = SCALE_AT + width;
  return {
    kernel: "norm",
    title: `${rows} rows of ${width} values of ±${limit}`,
    constants: {
      WIDTH: width,
      WIDTH_LOG2: ceilLog2(width),
      LANES: lanesOf(width),
      ROWS: rows,
      SCALE_AT,
      SHIFT_AT: shiftAt,
    },
    workgroups: groupsOf(rows, width),
    inputs: {
      x: values(rows * width, limit),
      master: values(shiftAt + width, WEIGHT),
      normalised: output(rows * width),
      deviations: output(2 * rows),
      out: output(rows * width),
    },
    expect: ({ x, master, normalised, deviations, out }: Named) => {
      for (let row = 0; row < rows; row++) {
        const { mantissa, shift } = normalise(x as Words, row * width, width, normalised as Words);
        deviations!.set([mantissa, shift], 2 * row);
        for (let i = 0; i < width; i++) {
          const scale = scaleOf(master![SCALE_AT + i] as number);
          const value = normalised![row * width + i] as number;
          out![row * width + i] = scaleAndShift(value, scale, biasOf(master![shiftAt + i] as number));
        }
      }
    },
  };
}

/** Mantissas and shifts of the whole legal range. */
function drawDeviations(rows: number, random: Random): Words {
  const pairs = Array.from({ length: rows }, () => [random.between(1 << 14, 32767), random.between(4, 18)]);
  return Int32Array.from(pairs.flat());
}

/** @param rowsLog2 what sums over rows are divided by; more than `rows` needs, to reach its limit with few rows */
function backward(width: number, rows: number, rowsLog2 = ceilLog2(rows)): KernelCase {
  const moreShift = rows % 2 === 0 ? 0 : ACTIVATION_BITS - NORM_INPUT_BITS; // of the raw embedding, of activations
  return {
    kernel: "norm_backward",
    title: `${rows} rows of ${width}, sums over 2^${rowsLog2}`,
    constants: {
      WIDTH: width,
      WIDTH_LOG2: ceilLog2(width),
      LANES: lanesOf(width),
      ROWS: rows,
      ROWS_LOG2: rowsLog2,
      MORE_SHIFT: moreShift,
      SCALE_AT,
      SCALE_DENSE: 1,
      SHIFT_DENSE: 2 + width,
    },
    workgroups: groupsOf(rows, width),
    inputs: {
      d: values(rows * width, ANY_I32),
      normalised: values(rows * width, ACTIVATION),
      deviations: (random) => drawDeviations(rows, random),
      master: values(SCALE_AT + width, WEIGHT),
      gradient: values(2 + 2 * width, ANY_I32),
      out: output(rows * width),
    },
    expect: ({ d, normalised, deviations, master, gradient, out }: Named) => {
      const add = (at: number, value: number) => {
        gradient![at] = (gradient![at] as number) + value;
      };
      const scaled = d!.map((value, i) => {
        add(1 + (i % width), mulRound(value, normalised![i] as number, ACTIVATION_BITS + rowsLog2));
        add(2 + width + (i % width), roundShift(value, rowsLog2));
        return clampGradient(mulRound(value, scaleOf(master![SCALE_AT + (i % width)] as number), SCALE_BITS));
      });
      for (let row = 0; row < rows; row++) {
        const deviation = { mantissa: deviations![2 * row] as number, shift: deviations![2 * row + 1] as number };
        normaliseBackward(scaled, normalised as Words, row * width, width, deviation, moreShift, out as Words);
      }
    },
  };
}

export const NORM_CASES: readonly KernelCase[] = [
  forward(8, 65),
  forward(32, 5),
  forward(64, 3),
  forward(128, 7),
  forward(1024, 2),
  forward(1024, 2, 8),
  forward(16, 9, 2),
  backward(8, 65),
  backward(32, 5, 20),
  backward(64, 1),
  backward(128, 7),
  backward(1024, 2),
];
