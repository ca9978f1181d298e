/** The optimizer's pieces against Adam in floating point. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CALIBRATION_STEPS, learningRates, rateAt, SCHEDULE_STEPS, squareDither } from "../../src/contract/schedule.ts";
import { alignGradient, momentRatio, moveMoment, moveSquare } from "../../src/engine/reference/optimizer.ts";
import { forAll } from "../support/for-all.ts";

const LIMIT = 2 ** 22 - 1;

describe("alignGradient", () => {
  test("shifts with rounding, and saturates instead of overflowing", () => {
    forAll([fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), fc.integer({ min: -30, max: 40 })], (x, left) => {
      const exact = Math.floor(x * 2 ** left + (left < 0 ? 0.5 : 0));
      expect(alignGradient(x, left)).toBe(Math.max(-LIMIT, Math.min(LIMIT, exact)));
    });
  });

  test("extremes", () => {
    expect(alignGradient(-(2 ** 31), 1)).toBe(-LIMIT);
    expect(alignGradient(1, 277)).toBe(LIMIT);
    expect(alignGradient(0, 277)).toBe(0);
    expect(alignGradient(2 ** 22, -300)).toBe(0);
  });
});

test("moments keep their value when the unit moves, as far as it can be kept", () => {
  expect([moveMoment(1000, 3), moveMoment(-1000, -1), moveMoment(LIMIT, -1), moveMoment(LIMIT, 99)]).toEqual([
    125,
    -2000,
    LIMIT,
    0,
  ]);
  expect([moveSquare(1024, 3), moveSquare(1024, -1), moveSquare(2 ** 28, -1), moveSquare(2 ** 30, 99)]).toEqual([
    16,
    4096,
    2 ** 30,
    0,
  ]);
});

describe("momentRatio", () => {
  const wanted = (moment: number, square: number) => {
    // The second moment counts in 2^-2 of squares of 2^8; it is at least one: Adam's epsilon.
    const exact = (moment * 4096) / (128 * Math.sqrt(Math.max(square, 1)));
    return Math.max(-16383, Math.min(16383, exact));
  };

  test("is m / sqrt(v) in Q12 within 4 % and the rounding of m", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -LIMIT, max: LIMIT }),
        fc.double({ min: 0, max: 30, noNaN: true }).map((bits) => Math.floor(2 ** bits)),
        (moment, square) => {
          const exact = wanted(moment, square);
          const halfUnitOfMoment = (32 * 4096) / (128 * Math.sqrt(Math.max(square, 1)));
          expect(Math.abs(momentRatio(moment, square) - exact)).toBeLessThan(
            0.04 * Math.abs(exact) + 1 + 1.05 * halfUnitOfMoment,
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("extremes", () => {
    expect([momentRatio(LIMIT, 0), momentRatio(-LIMIT, 0), momentRatio(0, 2 ** 30)]).toEqual([16383, -16383, 0]);
    expect(Math.abs(momentRatio(LIMIT, 2 ** 30) / 4096 - 1)).toBeLessThan(0.04);
  });

  test("is 1.4 % too large on average, whatever the second moment's magnitude", () => {
    for (const octaves of [16, 20, 24]) {
      const ratios = Array.from({ length: 4096 }, (_, i) => {
        const square = Math.floor(2 ** (octaves + i / 2048));
        const moment = Math.floor(128 * Math.sqrt(square));
        return momentRatio(moment, square) / wanted(moment, square);
      });
      expect(Math.abs(ratios.reduce((a, b) => a + b, 0) / ratios.length - 1.014)).toBeLessThan(0.001);
    }
  });
});

test("the dither of second moments takes all its values in 512 steps, and reverses the step's bits", () => {
  expect([0, 1, 2, 3, 256, 511, 512, 513].map(squareDither)).toEqual([0, 256, 128, 384, 1, 511, 0, 256]);
  for (const first of [0, 4, 511]) {
    const values = Array.from({ length: 512 }, (_, i) => squareDither(first + i)).toSorted((a, b) => a - b);
    expect(values).toEqual(Array.from({ length: 512 }, (_, i) => i));
  }
});

describe("learning rates", () => {
  test("are Adam's with both corrections, falling with the root of the updates, after the calibration", () => {
    const rates = learningRates(16384);
    expect(rates.length).toBe(CALIBRATION_STEPS + SCHEDULE_STEPS);
    rates.forEach((rate, step) => {
      const update = step - CALIBRATION_STEPS + 1;
      const adam = (16384 * Math.sqrt(1 - (511 / 512) ** update)) / (1 - (7 / 8) ** update);
      const exact = adam / Math.sqrt(1 + update / 4096);
      expect(Math.abs(rate - (update < 1 ? 0 : Math.floor(exact)))).toBeLessThanOrEqual(1);
    });
    expect(rateAt(rates, 1e9)).toBe(rates[rates.length - 1] as number);
  });

  test("the smallest legal rate trains at every step", () => {
    const rates = learningRates(64);
    expect(rates.subarray(CALIBRATION_STEPS).every((rate) => rate > 0)).toBe(true);
  });

  test("a step of the largest rate and ratio stays in 32 bits", () => {
    const largest = learningRates(65535).reduce((a, b) => Math.max(a, b));
    expect(largest).toBeLessThan(65536);
    expect(largest * 16383 + 2 ** 11).toBeLessThan(2 ** 31);
  });
});
