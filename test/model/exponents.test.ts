/** The rules by which exponents follow magnitudes. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Exponents, GradientScales, gradientBits, gradientOperandLimit } from "../../src/contract/exponents.ts";
import { activationExponent, gradientExponent, weightExponent } from "../../src/contract/network.ts";
import { FALL_STEPS } from "../../src/contract/optimizer.ts";
import { layoutOf } from "../../src/contract/tensors.ts";
import { PAPER } from "../../src/model/levels.ts";
import { forAll } from "../support/for-all.ts";

const hyper = { ...PAPER, streams: 64 };

describe("gradient operands", () => {
  test("2B products with an int8 activation stay inside 32 bits for every B", () => {
    for (let streams = 1; streams <= 16384; streams++) {
      expect(2 * streams * gradientOperandLimit(streams) * 127).toBeLessThan(2 ** 31);
    }
    expect([1, 256, 257, 512, 16384].map(gradientBits)).toEqual([15, 15, 14, 14, 9]);
    expect([1, 512].map(gradientOperandLimit)).toEqual([32639, 16383]);
  });
});

describe("slots", () => {
  test("rise at once, fall by one bit a step, and never below 0", () => {
    const exponents = new Exponents(hyper);
    const slot = activationExponent("cache");
    expect(exponents.shift[slot]).toBe(1); // 2^7 has 8 bits, 7 remain
    exponents.note(slot, 32767);
    exponents.note(slot, 5);
    exponents.endStep();
    expect(exponents.shift[slot]).toBe(8);
    for (const shift of [7, 6, 5, 4, 3, 2, 1, 0, 0]) {
      exponents.endStep();
      expect(exponents.shift[slot]).toBe(shift);
    }
  });

  test("with the shift of a steady magnitude nothing saturates", () => {
    forAll([fc.integer({ min: 0, max: 2 ** 26 })], (magnitude) => {
      const exponents = new Exponents(hyper);
      for (const [slot, limit] of [
        [activationExponent("last"), 2 ** 7] as const,
        [gradientExponent("fine"), 2 ** 14] as const,
      ]) {
        exponents.note(slot, magnitude);
        exponents.endStep();
        exponents.note(slot, magnitude);
        exponents.endStep();
        const shift = exponents.shift[slot] as number;
        const held = Math.max(magnitude, exponents.held[slot] as number);
        expect(Math.floor(held / 2 ** shift)).toBeLessThan(limit);
      }
    });
  });

  test("copies of weights are read with the shift they were written with", () => {
    const exponents = new Exponents(hyper);
    const slot = weightExponent("logits");
    exponents.holdInitial(slot, 2 ** 20);
    expect([exponents.shift[slot], exponents.copyShift[slot]]).toEqual([14, 14]);
    exponents.note(slot, 2 ** 21); // seen while copies were written with 14
    exponents.endStep();
    expect([exponents.shift[slot], exponents.copyShift[slot]]).toEqual([15, 14]);
    exponents.endStep();
    expect([exponents.shift[slot], exponents.copyShift[slot]]).toEqual([14, 15]);
  });
});

describe("gradient scales", () => {
  const layout = layoutOf(hyper);

  test("follow each step while calibrating", () => {
    const scales = new GradientScales(layout);
    for (const [accumulated, exponent, scale] of [
      [-1000, 5, -6],
      [2 ** 30, 4, 14],
      [0, 7, -14],
    ] as const) {
      scales.note(0, accumulated, exponent);
      scales.endStep(0, true);
      expect(scales.scale[0]).toBe(scale);
    }
  });

  test("then rise at once and fall by one after a window that stayed below", () => {
    const scales = new GradientScales(layout);
    scales.note(0, 2 ** 25, 0);
    scales.endStep(3, true);
    expect(scales.scale[0]).toBe(5);
    for (let step = 4; step < 2 * FALL_STEPS; step++) {
      if (step === 10) scales.note(0, 2 ** 27, 0);
      else scales.note(0, 2 ** 20, 0);
      scales.endStep(step, false);
      const fallen = step === 2 * FALL_STEPS - 1;
      expect(scales.scale[0]).toBe(step < 10 ? 5 : fallen ? 6 : 7);
      expect(scales.moved[0]).toBe(step === 10 ? 2 : fallen ? -1 : 0);
    }
  });

  test("the magnitude of -2^31 has 32 bits", () => {
    const scales = new GradientScales(layout);
    scales.note(0, -(2 ** 31), 0);
    scales.endStep(0, true);
    expect(scales.scale[0]).toBe(11);
  });
});
