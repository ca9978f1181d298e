/**
 * Cases of end_step against the reference's exponents: windows that end, calibration, magnitudes from 0 to the limit,
 * the end of the table of learning rates.
 */

import { Exponents, GradientScales } from "../../../../src/model/reference/exponents.ts";
import { rateAt } from "../../../../src/model/schedule.ts";
import { SLOT_COUNT } from "../../../../src/model/tensors.ts";
import { draw, PATTERN_COUNT, type Random, range, type Words } from "../../../support/gpu-values.ts";
import { type KernelCase, type Named, shapeWith, WEIGHT } from "./case.ts";

const shape = shapeWith({ streams: 300 });
const { places, layout } = shape;
const TENSORS = layout.tensors.length;
/** Needs with their bias: magnitudes of 0 to 32 bits with exponents of -30 to 40. */
const NEED_MIN = 226;
const NEED_MAX = 328;

function drawn(count: number, low: number, high: number, random: Random): Words {
  return draw(range(count, low, high), random.between(0, PATTERN_COUNT - 1), random);
}

function drawShifts(random: Random, step: number, rate: number): Words {
  const shifts = new Int32Array(places.count);
  shifts.set(drawn(SLOT_COUNT, 0, 31, random), 0);
  shifts.set(drawn(SLOT_COUNT, 0, 31, random), places.copyShifts);
  shifts.set(drawn(SLOT_COUNT, 0, WEIGHT, random), places.held);
  shifts.set(new Exponents(shape.hyper).bits, places.slotBits);
  shifts.set(drawn(TENSORS, -60, 60, random), places.scales);
  shifts.set(drawn(TENSORS, -1, 40, random), places.moved);
  shifts.set(drawn(TENSORS, 0, NEED_MAX, random), places.window);
  shifts[places.step] = step;
  shifts[places.chunkStep] = random.between(0, 255);
  shifts[places.rate] = rate;
  shifts[places.logitShift] = 8;
  return shifts;
}

function expectEnd({ shifts, seen, rates }: Named): void {
  const control = shifts as Words;
  const part = (place: number, count: number) => control.subarray(place, place + count);
  const step = control[places.step] as number;
  const exponents = new Exponents(shape.hyper);
  exponents.shift.set(part(0, SLOT_COUNT));
  exponents.held.set(part(places.held, SLOT_COUNT));
  exponents.seen.set(seen!.subarray(0, SLOT_COUNT));
  exponents.endStep();
  const scales = new GradientScales(layout);
  scales.scale.set(part(places.scales, TENSORS));
  scales.window.set(part(places.window, TENSORS));
  scales.seen.set(seen!.subarray(SLOT_COUNT));
  scales.endStep(step, control[places.rate] === 0);
  control.set(exponents.shift, 0);
  control.set(exponents.copyShift, places.copyShifts);
  control.set(exponents.held, places.held);
  control.set(scales.scale, places.scales);
  control.set(scales.moved, places.moved);
  control.set(scales.window, places.window);
  control[places.step] = step + 1;
  control[places.chunkStep] = (control[places.chunkStep] as number) + 1;
  control[places.rate] = rateAt(rates as Words, step + 1);
  seen!.fill(0);
}

function endStep(title: string, steps: readonly [number, number], rate: number): KernelCase {
  return {
    kernel: "end_step",
    title,
    shared: shape.shared,
    constants: {},
    workgroups: [1, 1, 1],
    inputs: {
      shifts: (random) => drawShifts(random, random.between(...steps), rate),
      seen: (random) => {
        const slots = drawn(SLOT_COUNT, 0, WEIGHT, random);
        return Int32Array.of(...slots, ...drawn(TENSORS, NEED_MIN, NEED_MAX, random));
      },
      rates: range(70, 0, 65535),
    },
    expect: expectEnd,
  };
}

export const END_STEP_CASES: readonly KernelCase[] = [
  endStep("calibrating", [0, 3], 0),
  endStep("within a window", [64, 126], 1 << 14),
  endStep("a window ends", [63, 63], 1 << 14),
  endStep("a window ends late, beyond the rates", [(1 << 30) - 1, (1 << 30) - 1], 700),
];
