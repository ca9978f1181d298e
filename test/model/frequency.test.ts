/** Frequencies: legal for the range coder whatever the logits are, and close to the softmax. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FREQUENCY_BITS } from "../../src/contract/frequency.ts";
import { luts } from "../../src/contract/luts.ts";
import { frequencies } from "../../src/engine/reference/frequency.ts";
import { forAll } from "../support/for-all.ts";

const TOTAL = 2 ** FREQUENCY_BITS;

function frequenciesOf(logits: ArrayLike<number>): Int32Array {
  const out = new Int32Array(256);
  frequencies(luts(), Int32Array.from(logits), 0, out, 0);
  return out;
}

/** At least one count each; at most the total; little of it unused. */
function expectLegal(table: Int32Array): void {
  let sum = 0;
  for (const frequency of table) {
    expect(frequency).toBeGreaterThanOrEqual(1);
    sum += frequency;
  }
  expect(sum).toBeLessThanOrEqual(TOTAL);
  expect((TOTAL - sum) / TOTAL).toBeLessThan(1.3e-4);
}

const logitRow = (limit: number) =>
  fc.array(fc.integer({ min: -limit, max: limit }), { minLength: 256, maxLength: 256 });

test("any logits give a legal table", () => {
  forAll([fc.oneof(logitRow(32767), logitRow(4096), logitRow(64))], (row) => expectLegal(frequenciesOf(row)));
});

test("extremes: all alike, one far above, one far below, all ties, every count of ties", () => {
  for (const value of [-32767, 0, 32767]) expectLegal(frequenciesOf(new Array(256).fill(value)));
  const certain = frequenciesOf(Array.from({ length: 256 }, (_, v) => (v === 9 ? 32767 : -32767)));
  expectLegal(certain);
  expect(certain.filter((frequency) => frequency === 1).length).toBe(255);
  for (let ties = 1; ties <= 256; ties++) {
    expectLegal(frequenciesOf(Array.from({ length: 256 }, (_, v) => (v < ties ? 0 : -32767))));
    expectLegal(frequenciesOf(Array.from({ length: 256 }, (_, v) => (v < ties ? 0 : -ties * 3))));
  }
});

test("frequencies are the softmax within 0.6 % plus two counts", () => {
  forAll([logitRow(16384)], (row) => {
    const top = Math.max(...row);
    const powers = row.map((logit) => Math.exp((logit - top) / 1024));
    const sum = powers.reduce((a, b) => a + b, 0);
    frequenciesOf(row).forEach((frequency, v) => {
      const exact = ((powers[v] as number) / sum) * TOTAL;
      // Below e^-8 of the largest an exponential has few bits: half a unit of 2^-16.
      expect(Math.abs(frequency - exact)).toBeLessThan(0.006 * exact + 2 + (0.5 * TOTAL) / 65536 / sum);
    });
  });
});

test("the cost of the integers against the exact softmax is below 0.0005 bits a byte", () => {
  forAll([logitRow(12000)], (row) => {
    const top = Math.max(...row);
    const powers = row.map((logit) => Math.exp((logit - top) / 1024));
    const sum = powers.reduce((a, b) => a + b, 0);
    const table = frequenciesOf(row);
    const loss = powers.reduce((bits, power, v) => {
      const p = power / sum;
      return bits + p * Math.log2((p * TOTAL) / (table[v] as number));
    }, 0);
    expect(loss).toBeLessThan(0.0005);
  });
});
