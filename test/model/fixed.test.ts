/** The primitives against BigInt, which cannot overflow, on random and extreme operands. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { bitLength, ceilLog2, clamp, integerSqrt, mulRound, roundShift } from "../../src/contract/fixed.ts";
import { forAll } from "../support/for-all.ts";

const LOW = -(2 ** 31);
const HIGH = 2 ** 31 - 1;
const i32 = fc.oneof(fc.integer({ min: LOW, max: HIGH }), fc.constantFrom(LOW, LOW + 1, -65536, -1, 0, 1, 65535, HIGH));
const i16 = fc.oneof(fc.integer({ min: -32768, max: 32767 }), fc.constantFrom(-32768, -32767, -1, 0, 1, 16384, 32767));
const wrap = (x: bigint) => Number(BigInt.asIntN(32, x));

describe("roundShift", () => {
  test("right: a wrapping addition of one half, then an arithmetic shift", () => {
    forAll([i32, fc.integer({ min: 1, max: 31 })], (x, n) => {
      const biased = BigInt(wrap(BigInt(x) + (1n << BigInt(n - 1))));
      expect(roundShift(x, n)).toBe(Number(biased >> BigInt(n)));
    });
  });

  test("left and by nothing: a wrapping shift", () => {
    forAll([i32, fc.integer({ min: 0, max: 31 })], (x, n) => {
      expect(roundShift(x, -n)).toBe(wrap(BigInt(x) << BigInt(n)));
    });
  });
});

describe("mulRound", () => {
  test("is the exact product, one half added, shifted, modulo 2^32", () => {
    fc.assert(
      fc.property(i32, i16, fc.integer({ min: 1, max: 31 }), (a, b, s) => {
        const exact = (BigInt(a) * BigInt(b) + (1n << BigInt(s - 1))) >> BigInt(s);
        expect(mulRound(a, b, s)).toBe(wrap(exact));
      }),
      { numRuns: 2000 },
    );
  });

  test("at every shift for all pairs of extremes", () => {
    for (const a of [LOW, LOW + 1, -65537, -65536, -1, 0, 1, 65535, 65536, HIGH]) {
      for (const b of [-32768, -32767, -1, 0, 1, 32767]) {
        for (let s = 1; s <= 31; s++) {
          const exact = (BigInt(a) * BigInt(b) + (1n << BigInt(s - 1))) >> BigInt(s);
          expect(mulRound(a, b, s)).toBe(wrap(exact));
        }
      }
    }
  });

  test("keeps its parts in 32 bits, so that engines without wider integers get the same", () => {
    const fits = (x: number) => expect(x).toBe(x | 0);
    for (const b of [-32768, 32767]) {
      for (const a of [-32768, 32767]) fits(a * b + Math.sign(a * b) * (2 ** 15 + 2 ** 14));
      fits(0xffff * b);
      fits(0xffff * b + 2 ** 15);
    }
  });
});

test("integerSqrt is the floor of the root up to 2^30", () => {
  const check = (x: number) => {
    const root = integerSqrt(x);
    expect(root * root <= x && (root + 1) * (root + 1) > x).toBe(true);
  };
  for (const x of [0, 1, 2, 3, 4, 2 ** 30 - 1, 32767 ** 2, 32767 ** 2 - 1]) check(x);
  forAll([fc.integer({ min: 0, max: 2 ** 30 - 1 })], check);
});

test("bitLength and ceilLog2", () => {
  expect([0, 1, 2, 3, 4, 255, 256, HIGH, 2 ** 31].map(bitLength)).toEqual([0, 1, 2, 2, 3, 8, 9, 31, 32]);
  expect([1, 2, 3, 4, 5, 1024, 1025].map(ceilLog2)).toEqual([0, 1, 2, 2, 3, 10, 11]);
});

test("clamp saturates symmetrically", () => {
  expect([-200, -128, -127, 0, 127, 128].map((x) => clamp(x, 127))).toEqual([-127, -127, -127, 0, 127, 127]);
});
