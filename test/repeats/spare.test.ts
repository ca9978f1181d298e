/** Copies that touch numbers are dropped, but for long ones, and what those leave of numbers is found in the rest. */
import { expect, test } from "bun:test";
import type { Copies } from "../../src/repeats/copies.ts";
import { rangesInRest, spare } from "../../src/repeats/spare.ts";

const copiesOf = (...list: (readonly [gap: number, length: number, distance: number])[]): Copies => ({
  count: list.length,
  gaps: Uint32Array.from(list, ([gap]) => gap),
  lengths: Uint32Array.from(list, ([, length]) => length),
  distances: Int32Array.from(list, ([, , distance]) => distance),
});

const RANGES = [
  { start: 1000, end: 9000 },
  { start: 20_000, end: 30_000 },
];

test("copies that touch no range stay", () => {
  const copies = copiesOf([900, 100, 50], [8000, 11_000, -60], [10_000, 20, 70]);
  expect(spare(copies, RANGES)).toEqual(copies);
  expect(spare(copies, [])).toBe(copies);
});

test("short ones that touch a range are dropped, and their bytes stay in the gap behind", () => {
  // At 990, which reaches into the first range, 2000, 8990 and 9100; then one at 25,000.
  const copies = copiesOf([990, 20, 1], [990, 100, 2], [6890, 50, 3], [60, 40, 4], [15_860, 4095, 5]);
  expect(spare(copies, RANGES)).toEqual(copiesOf([9100, 40, 4]));
});

test("long ones stay, and cut a range in two", () => {
  const copies = copiesOf([3000, 4096, 7], [20_000, 30, 8]);
  const kept = spare(copies, RANGES);
  expect(kept).toEqual(copiesOf([3000, 4096, 7]));
  expect(rangesInRest(RANGES, kept)).toEqual([
    { start: 1000, end: 3000, of: 0, into: 0 },
    { start: 3000, end: 4904, of: 0, into: 6096 },
    { start: 15_904, end: 25_904, of: 1, into: 0 },
  ]);
});

test("a range may ask for longer ones", () => {
  const copies = copiesOf([3000, 4999, 7], [14_000, 5000, 8]);
  const ranges = RANGES.map((range) => ({ ...range, copyBytesMin: 5000 }));
  expect(spare(copies, ranges)).toEqual(copiesOf([21_999, 5000, 8]));
  expect(spare(copies, [{ start: 1000, end: 9000, copyBytesMin: 10 }])).toEqual(copies);
  expect(spare(copiesOf([3000, 4095, 7]), [{ start: 1000, end: 9000, copyBytesMin: 10 }]).count).toBe(0);
});

test("a range that is copied whole is gone", () => {
  const copies = copiesOf([500, 9000, 7]);
  expect(rangesInRest(RANGES, copies)).toEqual([{ start: 11_000, end: 21_000, of: 1, into: 0 }]);
});
