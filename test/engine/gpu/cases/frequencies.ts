/**
 * Cases of the two kernels around the coder: frequencies from logits, and the gradient of what came.
 */
import { PLAIN_DATA } from "../../../../src/contract/contexts.ts";
import { gradientBits, gradientOperandLimit } from "../../../../src/contract/exponents.ts";
import { clamp, roundShift } from "../../../../src/contract/fixed.ts";
import { GRADIENT_BITS } from "../../../../src/contract/formats.ts";
import { luts } from "../../../../src/contract/luts.ts";
import { gateCount } from "../../../../src/contract/network.ts";
import { frequencies, logitDifference } from "../../../../src/engine/reference/frequency.ts";
import { draw, PATTERN_COUNT, type Random, range, values, type Words } from "../../../support/gpu-values.ts";
import {
  ACTIVATION,
  ANY_I32,
  controlWith,
  foldedGroups,
  type KernelCase,
  lutsInput,
  type Named,
  output,
  PAST_ROWS,
  shapeWith,
} from "./case.ts";
import { lookupsInput, recallOf, rowOf } from "./recall-model.ts";

const table = luts();

/** The running sums of each row of 256 frequencies. */
function endsOf(logits: Words): Words {
  const ends = new Int32Array(logits.length);
  for (let row = 0; row < logits.length; row += 256) {
    frequencies(table, logits, row, ends, row);
    for (let v = row + 1; v < row + 256; v++) ends[v] = (ends[v] as number) + (ends[v - 1] as number);
  }
  return ends;
}

function fromLogits(streams: number, contexts = 0, logitTables = 0): KernelCase {
  const shape = { ...shapeWith({ streams, contexts, tables: logitTables }), kind: PLAIN_DATA };
  return {
    kernel: "frequencies",
    title: `${streams} streams, ${contexts} contexts, ${logitTables} tables`,
    shared: shape.shared,
    workgroups: foldedGroups(streams),
    inputs: {
      logits: values(256 * streams, ACTIVATION),
      constants: lutsInput,
      lookups: contexts + logitTables > 0 ? lookupsInput(shape) : output(4),
      gates: values(Math.max(4, streams * gateCount({ contexts, tables: logitTables })), ACTIVATION),
      boosts: values(Math.max(4, contexts * 66), ANY_I32),
      entries: values(Math.max(4, logitTables << 16), ANY_I32),
      ends: output(256 * streams),
    },
    mixedRounds: contexts + logitTables > 0 ? 10 : 30,
    expect: (arrays: Named) => {
      const logits = (arrays.logits as Words).slice();
      recallOf(shape, { ...arrays, lookups: contexts + logitTables > 0 ? arrays.lookups! : new Int32Array(0) }).addTo(
        logits,
      );
      arrays.ends!.set(endsOf(logits));
    },
  };
}

function drawEnds(streams: number, random: Random): Words {
  const rows = Array.from({ length: streams }, () =>
    draw(values(256, random.between(1, ACTIVATION)), random.between(0, PATTERN_COUNT - 1), random),
  );
  return endsOf(Int32Array.from(rows.flatMap((row) => [...row])));
}

/** @param contexts of a recall stream, which learns from the difference; without one that is not written */
function gradient(streams: number, contexts: number): KernelCase {
  const shape = shapeWith({ streams, contexts });
  const { places } = shape;
  const steps = 3;
  const shift = GRADIENT_BITS - gradientBits(streams);
  return {
    kernel: "logit_gradient",
    title: `${streams} streams, ${contexts} contexts`,
    shared: shape.shared,
    workgroups: foldedGroups(4 * streams),
    inputs: {
      ends: (random) => drawEnds(streams, random),
      bytes: range(PAST_ROWS * Math.ceil(streams / 4), -(2 ** 31), ANY_I32),
      control: (random) =>
        controlWith(shape, {
          [places.step]: random.between(0, 1 << 30),
          [places.chunkStep]: random.between(0, steps - 1),
          [places.logitShift]: shift,
        }),
      difference: output(256 * streams),
      operand: output(256 * streams),
      intervals: output(2 * steps * streams),
    },
    mixedRounds: 4,
    expect: ({ ends, bytes, control, operand, intervals, difference }: Named) => {
      const step = control![places.chunkStep] as number;
      const row = rowOf(shape, bytes as Words, control![places.step] as number);
      for (let i = 0; i < 256 * streams; i++) {
        const b = i >> 8;
        const start = i % 256 === 0 ? 0 : (ends![i - 1] as number);
        const frequency = (ends![i] as number) - start;
        const came = row[b] === (i & 255);
        const gradient = logitDifference(frequency, came);
        if (contexts > 0) difference![i] = gradient;
        operand![i] = clamp(roundShift(gradient, shift), gradientOperandLimit(streams));
        if (came) intervals!.set([start, frequency], 2 * (step * streams + b));
      }
    },
  };
}

export const FREQUENCY_CASES: readonly KernelCase[] = [
  fromLogits(1),
  fromLogits(33),
  fromLogits(33, 20, 0),
  fromLogits(5, 0, 4),
  fromLogits(33, 12, 3),
  fromLogits(5, 4, 6),
  gradient(5, 0),
  gradient(300, 4),
];
