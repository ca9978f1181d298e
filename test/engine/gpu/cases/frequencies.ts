/**
 * Cases of the two kernels around the coder: frequencies from logits, and the gradient of what came.
 */
import { GRADIENT_BITS } from "../../../../src/model/fixed.ts";
import { gradientBits, gradientOperandLimit } from "../../../../src/model/reference/exponents.ts";
import { frequencies, logitGradient } from "../../../../src/model/reference/frequency.ts";
import { tables } from "../../../../src/model/tables.ts";
import { draw, PATTERN_COUNT, type Random, range, values, type Words } from "../../../support/gpu-values.ts";
import {
  ACTIVATION,
  ANY_I32,
  foldedGroups,
  type KernelCase,
  type Named,
  output,
  shapeWith,
  shiftsWith,
  tablesInput,
} from "./case.ts";

const table = tables();

/** The running sums of each row of 256 frequencies. */
function endsOf(logits: Words): Words {
  const ends = new Int32Array(logits.length);
  for (let row = 0; row < logits.length; row += 256) {
    frequencies(table, logits, row, ends, row);
    for (let v = row + 1; v < row + 256; v++) ends[v] = (ends[v] as number) + (ends[v - 1] as number);
  }
  return ends;
}

function fromLogits(streams: number): KernelCase {
  return {
    kernel: "frequencies",
    title: `${streams} streams`,
    shared: shapeWith({ streams }).shared,
    constants: {},
    workgroups: foldedGroups(streams),
    inputs: { logits: values(256 * streams, ACTIVATION), tables: tablesInput, ends: output(256 * streams) },
    mixedRounds: 30,
    expect: ({ logits, ends }: Named) => void ends!.set(endsOf(logits as Words)),
  };
}

function drawEnds(streams: number, random: Random): Words {
  const rows = Array.from({ length: streams }, () =>
    draw(values(256, random.between(1, ACTIVATION)), random.between(0, PATTERN_COUNT - 1), random),
  );
  return endsOf(Int32Array.from(rows.flatMap((row) => [...row])));
}

function gradient(streams: number): KernelCase {
  const shape = shapeWith({ streams });
  const { history } = shape.hyper;
  const { places } = shape;
  const rowWords = Math.ceil(streams / 4);
  const steps = 3;
  const shift = GRADIENT_BITS - gradientBits(streams);
  return {
    kernel: "logit_gradient",
    title: `${streams} streams`,
    shared: shape.shared,
    constants: {},
    workgroups: foldedGroups(4 * streams),
    inputs: {
      ends: (random) => drawEnds(streams, random),
      bytes: range((history + steps) * rowWords, -(2 ** 31), ANY_I32),
      shifts: (random) =>
        shiftsWith(shape, { [places.chunkStep]: random.between(0, steps - 1), [places.logitShift]: shift }),
      operand: output(256 * streams),
      intervals: output(2 * steps * streams),
    },
    mixedRounds: 4,
    expect: ({ ends, bytes, shifts, operand, intervals }: Named) => {
      const step = shifts![places.chunkStep] as number;
      const row = new Uint8Array(bytes!.buffer).subarray((history + step) * rowWords * 4);
      for (let i = 0; i < 256 * streams; i++) {
        const b = i >> 8;
        const start = i % 256 === 0 ? 0 : (ends![i - 1] as number);
        const frequency = (ends![i] as number) - start;
        const came = row[b] === (i & 255);
        operand![i] = logitGradient(frequency, came, shift, gradientOperandLimit(streams));
        if (came) intervals!.set([start, frequency], 2 * (step * streams + b));
      }
    },
  };
}

export const FREQUENCY_CASES: readonly KernelCase[] = [fromLogits(1), fromLogits(33), gradient(5), gradient(300)];
