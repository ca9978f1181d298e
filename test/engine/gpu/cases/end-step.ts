/**
 * Cases of end_step against the reference's exponents: windows that end, calibration, magnitudes from 0 to the limit,
 * the end of the table of learning rates.
 */

import { Exponents, GradientScales } from "../../../../src/contract/exponents.ts";
import { bitLength } from "../../../../src/contract/fixed.ts";
import { EXPONENT_COUNT, QUANTISED_ACTIVATIONS } from "../../../../src/contract/network.ts";
import { rateAt } from "../../../../src/contract/schedule.ts";
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

function drawShifts(random: Random, trained: number, rate: number): Words {
  const control = new Int32Array(places.count);
  control.set(drawn(EXPONENT_COUNT, 0, 31, random), 0);
  control.set(drawn(EXPONENT_COUNT, 0, 31, random), places.copyShifts);
  control.set(drawn(EXPONENT_COUNT, 0, WEIGHT, random), places.held);
  control.set(new Exponents(shape.hyper).bits, places.exponentBits);
  control.set(drawn(TENSORS, -60, 60, random), places.scales);
  control.set(drawn(TENSORS, -1, 40, random), places.moved);
  control.set(drawn(TENSORS, 0, NEED_MAX, random), places.window);
  control[places.step] = random.between(0, 1 << 30);
  control[places.trained] = trained;
  control[places.chunkStep] = random.between(0, 255);
  control[places.rate] = rate;
  control[places.logitShift] = 8;
  return control;
}

/** Every step leaves control that follow from what is held: an untrained one may rely on that where it sees nothing. */
function settleShifts(control: Words): void {
  for (let exponent = QUANTISED_ACTIVATIONS.length; exponent < EXPONENT_COUNT; exponent++) {
    const bits =
      bitLength(control[places.held + exponent] as number) - (control[places.exponentBits + exponent] as number);
    control[exponent] = Math.max(0, bits);
  }
}

function expectEnd({ seen, rates, ...arrays }: Named, trains: boolean): void {
  const control = arrays.control as Words;
  const part = (place: number, count: number) => control.subarray(place, place + count);
  const trained = control[places.trained] as number;
  const exponents = new Exponents(shape.hyper);
  exponents.shift.set(part(0, EXPONENT_COUNT));
  exponents.held.set(part(places.held, EXPONENT_COUNT));
  exponents.copyShift.set(part(places.copyShifts, EXPONENT_COUNT));
  exponents.seen.set(seen!.subarray(0, EXPONENT_COUNT));
  exponents.endStep(trains);
  control.set(exponents.shift, 0);
  control.set(exponents.copyShift, places.copyShifts);
  control.set(exponents.held, places.held);
  control[places.step] = (control[places.step] as number) + 1;
  control[places.chunkStep] = (control[places.chunkStep] as number) + 1;
  if (!trains) {
    seen!.fill(0, 0, QUANTISED_ACTIVATIONS.length);
    return;
  }
  const scales = new GradientScales(layout);
  scales.scale.set(part(places.scales, TENSORS));
  scales.window.set(part(places.window, TENSORS));
  scales.seen.set(seen!.subarray(EXPONENT_COUNT));
  scales.endStep(trained, control[places.rate] === 0);
  control.set(scales.scale, places.scales);
  control.set(scales.moved, places.moved);
  control.set(scales.window, places.window);
  control[places.trained] = trained + 1;
  control[places.rate] = rateAt(rates as Words, trained + 1);
  seen!.fill(0);
}

function endStep(title: string, steps: readonly [number, number], rate: number, trains = true): KernelCase {
  return {
    kernel: "end_step",
    title,
    shared: shape.shared,
    constants: { TRAINS: trains ? 1 : 0 },
    workgroups: [1, 1, 1],
    inputs: {
      control: (random) => {
        const control = drawShifts(random, random.between(...steps), rate);
        if (!trains) settleShifts(control);
        return control;
      },
      seen: (random) => {
        const exponents = drawn(EXPONENT_COUNT, 0, WEIGHT, random);
        return Int32Array.of(...exponents, ...drawn(TENSORS, NEED_MIN, NEED_MAX, random));
      },
      rates: range(70, 0, 65535),
    },
    expect: (arrays) => expectEnd(arrays, trains),
  };
}

export const END_STEP_CASES: readonly KernelCase[] = [
  endStep("calibrating", [0, 3], 0),
  endStep("within a window", [64, 126], 1 << 14),
  endStep("a window ends", [63, 63], 1 << 14),
  endStep("the network does not train", [63, 63], 1 << 14, false),
  endStep("a window ends late, beyond the rates", [(1 << 30) - 1, (1 << 30) - 1], 700),
];
