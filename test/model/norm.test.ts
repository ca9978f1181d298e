/** LayerNorm in integers against LayerNorm. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { inverseDeviation, normalise, normaliseBackward, scaleAndShift } from "../../src/engine/reference/norm.ts";
import { forAll } from "../support/for-all.ts";
import { normaliseFloat } from "./float-functions.ts";

const widths = fc.constantFrom(8, 16, 32, 64, 128, 256, 512, 1024);

/** Rows of any magnitude: uniform values times a power of two. */
function rows(magnitudeBits: number) {
  return fc.tuple(widths, fc.integer({ min: 0, max: magnitudeBits }), fc.integer()).map(([width, bits, seed]) => {
    let state = seed >>> 0;
    return Int32Array.from({ length: width }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.round((state / 2 ** 31 - 1) * 2 ** bits);
    });
  });
}

describe("inverseDeviation", () => {
  test("is within 2^-13 of 2^10 / sigma for every sum that can occur", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 10 }), fc.double({ min: 0, max: 1, noNaN: true }), (log2Width, where) => {
        const sum = Math.floor(2 ** log2Width * 32767 ** (2 * where));
        const { mantissa, shift } = inverseDeviation(sum, log2Width);
        expect(mantissa >= 2 ** 14 && mantissa < 2 ** 15 && shift >= 5 && shift <= 19).toBe(true);
        const sigma = Math.sqrt(sum / 2 ** log2Width);
        expect(Math.abs(((mantissa / 2 ** shift) * sigma) / 2 ** 10 - 1)).toBeLessThan(2 ** -13);
      }),
      { numRuns: 1000 },
    );
  });

  test("takes variances below one squared unit for one", () => {
    for (let log2Width = 3; log2Width <= 10; log2Width++) {
      const smallest = { mantissa: 32767, shift: 5 };
      expect(inverseDeviation(0, log2Width)).toEqual(smallest);
      expect(inverseDeviation(2 ** log2Width, log2Width)).toEqual(smallest);
      expect(inverseDeviation(2 ** log2Width * 32767 ** 2, log2Width).shift).toBe(19);
    }
  });
});

describe("normalise", () => {
  test("is close to floating point for rows of any magnitude", () => {
    forAll([rows(14)], (row) => {
      const out = new Int32Array(row.length);
      const { mantissa, shift } = normalise(row, 0, row.length, out);
      const sigma = 2 ** 10 / (mantissa / 2 ** shift); // in units of the row
      const exact = normaliseFloat(row);
      if (sigma < 2) return;
      // The mean is rounded to the row's unit: half a unit, seen through the norm; the rest is relative.
      const bound = 1 + 0.5 * (2 ** 10 / sigma);
      out.forEach((value, i) => {
        const wanted = (exact[i] as number) * 2 ** 10;
        expect(Math.abs(value - wanted)).toBeLessThan(bound + Math.abs(wanted) * (2 ** -12 + 0.3 / sigma ** 2));
      });
    });
  });

  test("extremes: constant rows are 0, a spike too small for the mean saturates, full range stays in 16 bits", () => {
    const out = new Int32Array(1024);
    normalise(new Int32Array(1024).fill(-32767), 0, 1024, out);
    expect(out.every((value) => value === 0)).toBe(true);
    const spike = new Int32Array(1024);
    spike[7] = 511; // the mean of 1024 such values rounds to 0, so the spike is 32 deviations
    normalise(spike, 0, 1024, out);
    expect(out[7]).toBe(32767);
    const wide = Int32Array.from({ length: 1024 }, (_, i) => (i < 512 ? 32767 : -32767));
    normalise(wide, 0, 1024, out);
    expect([out[0], out[1023]].map((value) => Math.abs(Math.abs(value as number) - 1024) <= 1)).toEqual([true, true]);
  });
});

test("scaleAndShift saturates", () => {
  expect(scaleAndShift(2048, 4096, 100)).toBe(2148);
  expect(scaleAndShift(32767, 32767, 0)).toBe(32767);
  expect(scaleAndShift(-32767, 32767, -(2 ** 17))).toBe(-32767);
});

test("the backward pass is the derivative of normalising", () => {
  forAll([rows(14), fc.integer()], (row, seed) => {
    const width = row.length;
    const normalised = new Int32Array(width);
    const deviation = normalise(row, 0, width, normalised);
    const gain = deviation.mantissa / 2 ** deviation.shift;
    if (gain > 4) return; // sigma below 256 units: the row's own rounding dominates
    let state = seed >>> 0;
    const d = Int32Array.from({ length: width }, () => {
      state = (Math.imul(state, 22695477) + 1) >>> 0;
      return Math.round((state / 2 ** 31 - 1) * 2 ** 18);
    });
    const into = new Int32Array(width);
    normaliseBackward(d, normalised, 0, width, deviation, 0, into);
    const coarser = new Int32Array(width);
    normaliseBackward(d, normalised, 0, width, deviation, 3, coarser);
    const n = normaliseFloat(row);
    const mean = d.reduce((a, b) => a + b, 0) / width;
    const slope = n.reduce((sum, value, i) => sum + value * (d[i] as number), 0) / width;
    into.forEach((value, i) => {
      const exact = gain * ((d[i] as number) - mean - slope * (n[i] as number));
      expect(Math.abs(value - exact)).toBeLessThan(gain * (2 ** 18 * 0.01 + width));
      // A row in Q7 has a unit eight times that of Q10.
      expect(Math.abs((coarser[i] as number) - value / 8)).toBeLessThanOrEqual(0.5625);
    });
  });
});
